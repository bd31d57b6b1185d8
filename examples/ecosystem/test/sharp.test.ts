import test from 'ava';
import { allocate, put } from 'mobula';
import sharp from 'sharp';
import { runInBoth, testInBoth } from '../../../build/test/support/runtime.js';
import { isSealedInPlace } from '../../../build/test/support/sealing.js';
import { negate, open, preview, type Image } from '../sharp/tasks.js';
import { outputOf } from './support.js';

const image: Image = { width: 200, height: 100, channels: 3 };
const BYTES = 200 * 100 * 3;

function makePixels(): Uint8Array {
  const pixels = allocate(Uint8Array, BYTES);
  for (let i = 0; i < BYTES; i++) pixels[i] = i % 251;
  return pixels;
}

testInBoth('sharp reads pixels where they are, when it runs', async (t) => {
  const pixels = allocate(Uint8Array, BYTES);
  const pipeline = open(pixels, image);
  const { input } = (pipeline as unknown as { options: { input: { buffer: Buffer } } }).options;
  t.is(input.buffer.buffer, pixels.buffer);
  pixels.fill(7);
  t.true((await pipeline.raw().toBuffer()).every((value) => value === 7));
});

testInBoth('bands that tasks have made together are the negative', async (t) => {
  const pixels = makePixels();
  using ref = put(pixels);
  const bands = [0, 30, 60].map((from, i) => negate.remote(ref, image, from, [30, 60, 100][i]!));
  const negative = await Promise.all(bands);
  t.deepEqual(Buffer.concat(negative), Buffer.from(pixels.map((value) => 255 - value)));
  t.true(isSealedInPlace(await negate(pixels, image, 0, 30)));
  for (const [i, band] of negative.entries()) {
    t.true(band.buffer instanceof SharedArrayBuffer);
    t.is((await bands[i]!).buffer, band.buffer);
  }
});

testInBoth('a preview is a PNG of the width that was asked for', async (t) => {
  const { width, height, format } = await sharp(
    await preview.remote(makePixels(), image, 50),
  ).metadata();
  t.deepEqual({ width, height, format }, { width: 50, height: 25, format: 'png' });
});

test.serial('the example makes previews and a negative of one drawing', async (t) => {
  const output = await outputOf(t, 'sharp');
  t.regex(output, /^drawn: \d+ x \d+, [\d.]+ MB, in shared memory: true\n(\d+ wide: .*\n){3}/);
  t.regex(output, /pixels in place and wrote .* MB, copied once to shared memory: true\n$/);
});

runInBoth();
