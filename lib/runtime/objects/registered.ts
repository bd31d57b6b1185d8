import { Registry } from '../../serialization/registry.js';

/** The classes that this thread has registered, for every runtime that it will have. */
export const registry = new Registry();
