/** `mobula/store`: the object store alone, with no runtime around it. */

export { ObjectStore } from './object-store.js';
export type { ObjectInfo, StoreStats } from './object-info.js';
export type { ObjectView } from './object-view.js';
export type { ObjectWriter } from './object-writer.js';
export type { PutOptions, StoreHandle, StoreOptions, WaitOptions } from './store-options.js';
export {
  GetTimeoutError,
  MobulaError,
  ObjectError,
  ObjectExistsError,
  ObjectNotFoundError,
  ObjectNotSealedError,
  StoreClosedError,
  StoreCorruptError,
  StoreFullError,
  StoreStalledError,
} from '../common/errors.js';
