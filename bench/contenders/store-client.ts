/** A process that does as it is told with the store that its first argument is the handle of. */
import { ObjectStore, type StoreHandle } from 'mobula/store';

export type Order =
  | { readonly kind: 'get'; readonly id: string; readonly count: number }
  | { readonly kind: 'put'; readonly count: number }
  | { readonly kind: 'pin'; readonly ids: readonly string[] }
  | { readonly kind: 'drop' };

const store = ObjectStore.attach(JSON.parse(process.argv[2]!) as StoreHandle);
const bytes = new Uint8Array(64);
const own: string[] = [];

function obey(order: Order): void {
  switch (order.kind) {
    case 'get':
      for (let i = 0; i < order.count; i++) store.get(order.id)!.release();
      break;
    case 'put':
      for (let i = 0; i < order.count; i++) own.push(store.put(bytes));
      break;
    case 'pin':
      for (const id of order.ids) store.pin(id);
      break;
    case 'drop':
      for (const id of own.splice(0)) store.delete(id);
  }
}

process.on('disconnect', () => process.exit());
process.on('message', (order) => {
  obey(order as Order);
  process.send!('done');
});
