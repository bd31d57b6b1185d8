/** What of it is used here; TypeScript declares it for browsers only. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: object) => { exports: unknown };
  RuntimeError: ErrorConstructor;
};

export const { RuntimeError } = WebAssembly;

/**
 * A WebAssembly module of one page of memory: `load(address)` reads a word of it, `write(offset,
 * value)` calls the function it was given.
 */
export function instantiate(write: (offset: number, value: number) => void): {
  load: (address: number) => number;
  write: (offset: number, value: number) => void;
} {
  const module = new WebAssembly.Module(binary);
  const { exports } = new WebAssembly.Instance(module, { js: { write } });
  return exports as ReturnType<typeof instantiate>;
}

// prettier-ignore
const binary = Uint8Array.of(
  0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
  // Types: (i32) -> i32, (i32, i32) -> ().
  1, 11, 2, 0x60, 1, 0x7f, 1, 0x7f, 0x60, 2, 0x7f, 0x7f, 0,
  // Import: function js.write of type 1.
  2, 12, 1, 2, 0x6a, 0x73, 5, 0x77, 0x72, 0x69, 0x74, 0x65, 0, 1,
  // Functions of types 0 and 1; a memory of one page; exports: load, write.
  3, 3, 2, 0, 1,
  5, 3, 1, 0, 1,
  7, 16, 2, 4, 0x6c, 0x6f, 0x61, 0x64, 0, 1, 5, 0x77, 0x72, 0x69, 0x74, 0x65, 0, 2,
  // load: local.get 0, i32.load. write: local.get 0, local.get 1, call 0.
  10, 18, 2, 7, 0, 0x20, 0, 0x28, 2, 0, 0x0b, 8, 0, 0x20, 0, 0x20, 1, 0x10, 0, 0x0b,
);
