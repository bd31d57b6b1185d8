/** `mobula/store`: the object store alone, with no runtime around it. */

export { ObjectStore } from './object-store.js';
export type {
  ObjectInfo,
  ObjectView,
  ObjectWriter,
  PutOptions,
  StoreHandle,
  StoreOptions,
  StoreStats,
  WaitOptions,
} from './object-store.js';
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
