/** What a {@link StoreAgent} runs. */
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { ObjectStore, type ObjectView, type ObjectWriter, type StoreHandle } from 'mobula/store';
import type { Commands, Operation, Request } from './store-agent.js';
import { idOf } from './stores.js';

const one = idOf(1);

/** Each works again and again on a small store with nothing but object 1 in it. */
function repeatable(store: ObjectStore): Record<Operation, () => unknown> {
  return {
    put: () => store.put(new Uint8Array(100)),
    evict: () => store.put(new Uint8Array(200_000)),
    'create and seal': () => store.create(3000).seal(),
    'create and abort': () => store.create(3000).abort(),
    get: () => store.get(one),
    wait: () => store.wait(one),
    'pin and unpin': () => store.pin(one) && store.unpin(one),
    delete: () => store.delete(store.put(new Uint8Array(100))),
    list: () => store.list(),
    'attach and close': () => ObjectStore.attach(store.handle).close(),
  };
}

function serve(store: ObjectStore, answer: (message: unknown) => void): (request: Request) => void {
  const writers = new Map<string, ObjectWriter>();
  const views: (ObjectView | undefined)[] = [];
  const kept: unknown[] = [];
  const commands: Commands = {
    put: (bytes) => store.put(bytes),
    read: (id) => {
      using view = store.get(id);
      return view && Uint8Array.from(view.data);
    },
    hold: (id) => {
      views.push(store.get(id));
    },
    keep: (value) => {
      kept.push(value);
    },
    create: (size) => {
      const writer = store.create(size);
      writers.set(writer.id, writer);
      return writer.id;
    },
    write: (id, bytes) => writers.get(id)!.data.set(bytes),
    seal: (id) => writers.get(id)!.seal(),
    pin: (id) => store.pin(id),
    unpin: (id) => store.unpin(id),
    wait: async (id) => {
      using view = await store.wait(id);
      return Uint8Array.from(view.data);
    },
    churn: () => {
      for (;;) {
        const id = store.put(new Uint8Array(1000));
        const writer = store.create(3000);
        using view = store.get(id);
        store.pin(id);
        if (view !== undefined) writer.data.set(view.data);
        store.unpin(id);
        writer.seal();
        store.delete(id);
      }
    },
    repeat: (operation) => {
      const { [operation]: run } = repeatable(store);
      // Beyond this turn, so that the answer goes out.
      const begin = async () => {
        for (;;) await run();
      };
      setImmediate(() => void begin());
    },
    close: () => store.close(),
  };
  return ({ number, command, args }) => {
    const { [command]: run } = commands as unknown as Record<
      string,
      (...args: unknown[]) => unknown
    >;
    void Promise.resolve(run!(...args)).then((value) => answer({ number, value }));
  };
}

if (isMainThread) {
  const target = JSON.parse(process.argv[2]!) as string | StoreHandle;
  process.on(
    'message',
    serve(ObjectStore.attach(target), (message) => process.send!(message)),
  );
} else {
  const answer = (message: unknown) => parentPort!.postMessage(message);
  parentPort!.on('message', serve(ObjectStore.attach(workerData as StoreHandle), answer));
}
