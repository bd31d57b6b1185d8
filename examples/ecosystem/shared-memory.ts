export function isShared(view: ArrayBufferView): boolean {
  return view.buffer instanceof SharedArrayBuffer;
}

/**
 * Lends a view to native code. Node 20 refuses shared memory to addons that ask Node-API for the
 * buffer of an array; they get a private copy. Later lines give it to them.
 *
 * @returns bytes copied
 */
export async function lend(
  view: Float32Array,
  use: (view: Float32Array) => void | Promise<void>,
): Promise<number> {
  try {
    await use(view);
    return 0;
  } catch (error) {
    if (!(error instanceof Error) || error.message !== 'Invalid argument') throw error;
    await use(view.slice());
    return view.byteLength;
  }
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
