/** What the package is for, in a module: writes one line. */
import { actor, get, init, main, put, remote } from 'mobula';
import { ObjectStore } from 'mobula/store';

const [isolation] = process.argv.slice(2) as ['thread' | 'process'];
const sum = remote((numbers: Float64Array) => numbers.reduce((total, n) => total + n, 0));
const Tally = actor(
  class {
    #total = 0;
    add(amount: number) {
      return (this.#total += amount);
    }
  },
);

main(async () => {
  init({ workers: 1, isolation, memory: '64MiB' });
  const numbers = put(new Float64Array(1000).fill(0.5));
  const { buffer } = await get(numbers);
  const shared = buffer instanceof SharedArrayBuffer;
  const tally = Tally.remote();
  tally.add(sum.remote(numbers));
  const total = await tally.add(sum.remote(numbers));

  using store = ObjectStore.create({ memory: '1MiB' });
  using view = store.get(store.put(Buffer.from('kept')))!;
  console.log(shared, total, Buffer.from(view.data).toString());
});
