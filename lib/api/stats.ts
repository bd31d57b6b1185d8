import { requireContext } from '../runtime/context.js';
import { listMemory, type ObjectMemory } from '../runtime/objects/memory.js';
import { assertNotImporting } from '../runtime/tasks/modules.js';

/**
 * The objects of this runtime that refs stand for: those in the store, whoever has the refs, and
 * those in the memory of this thread. For diagnosis: it collects garbage and searches the heap.
 */
export function memory(): ObjectMemory[] {
  assertNotImporting('memory()');
  return listMemory(requireContext().core);
}
