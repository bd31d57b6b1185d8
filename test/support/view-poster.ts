/** A worker that posts the data of an object to its parent, and nothing else. */
import { parentPort, workerData } from 'node:worker_threads';
import { ObjectStore, type StoreHandle } from 'mobula/store';

const { handle, id } = workerData as { handle: StoreHandle; id: string };
parentPort!.postMessage(ObjectStore.attach(handle).get(id)!.data);
