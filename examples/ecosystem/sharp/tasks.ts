/**
 * An image pipeline on raw pixels in shared memory. sharp reads them where they are; what it makes
 * is memory of its own, written to shared memory once.
 */
import { allocate, remote } from 'mobula';
import sharp, { type Sharp } from 'sharp';

export interface Image {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 2 | 3 | 4;
}

sharp.concurrency(1); // the tasks are what is parallel

/** A pipeline that reads pixels in place. */
export function open(pixels: Uint8Array, { width, height, channels }: Image): Sharp {
  return sharp(pixels, { raw: { width, height, channels } });
}

/** Draws a vector graphic. */
export const draw = remote(
  async (path: string, density: number): Promise<[Image, Uint8Array]> => {
    const { data, info } = await sharp(path, { density })
      .flatten({ background: 'white' })
      .raw()
      .toBuffer({ resolveWithObject: true });
    const { width, height, channels } = info;
    return [{ width, height, channels }, toShared(data)];
  },
  { returns: 2 },
);

/** The negative of the lines `[from, to)`. */
export const negate = remote(
  async (pixels: Uint8Array, image: Image, from: number, to: number): Promise<Uint8Array> => {
    const line = image.width * image.channels;
    const band = pixels.subarray(from * line, to * line);
    return toShared(
      await open(band, { ...image, height: to - from })
        .negate()
        .raw()
        .toBuffer(),
    );
  },
);

/** The image as PNG, so many pixels wide. */
export const preview = remote(
  async (pixels: Uint8Array, image: Image, width: number): Promise<Uint8Array> =>
    open(pixels, image).resize(width).png().toBuffer(),
);

function toShared(bytes: Uint8Array): Uint8Array {
  const pixels = allocate(Uint8Array, bytes.length);
  pixels.set(bytes);
  return pixels;
}
