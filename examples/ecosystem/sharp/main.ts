/** Draws the chart of examples/flights once; tasks make previews and a negative of the same pixels. */
import { fileURLToPath } from 'node:url';
import { main } from 'mobula';
import { isShared, megabytes } from '../shared-memory.js';
import { draw, negate, preview } from './tasks.js';

const chart = fileURLToPath(new URL('../../flights/flights.svg', import.meta.url));
const widths = [1200, 600, 300];
const BANDS = 4;

main(async () => {
  const [imageRef, pixels] = draw.remote(chart, 288);
  const image = await imageRef;
  const drawn = await pixels;
  console.log(
    `drawn: ${image.width} x ${image.height}, ${megabytes(drawn.byteLength)}, in shared memory: ${isShared(drawn)}`,
  );

  const previews = await Promise.all(widths.map((width) => preview.remote(pixels, image, width)));
  previews.forEach((png, i) => console.log(`${widths[i]!} wide: ${png.byteLength} bytes of PNG`));

  const bound = (band: number) => Math.floor((image.height * band) / BANDS);
  const negative = await Promise.all(
    Array.from({ length: BANDS }, (_, i) => negate.remote(pixels, image, bound(i), bound(i + 1))),
  );
  const written = negative.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const read = (widths.length + 1) * drawn.byteLength;
  console.log(
    `sharp read ${megabytes(read)} of pixels in place and wrote ${megabytes(written)}, ` +
      `copied once to shared memory: ${negative.every(isShared)}`,
  );
});
