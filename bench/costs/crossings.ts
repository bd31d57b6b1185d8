/** Counts this thread's calls into the addon, once imported. */

type Native = Record<string, (...args: unknown[]) => unknown>;

const binding = new URL('../../../dist/store/binding.js', import.meta.url);
const { native } = (await import(binding.href)) as { native: Native };
let calls = 0;

for (const [name, call] of Object.entries(native)) {
  native[name] = (...args) => {
    calls++;
    return call(...args);
  };
}

/** So far. */
export function crossings(): number {
  return calls;
}
