/** A model of delays is fitted and written as ONNX; a pool of actors predicts with it in batches. */
import { ActorPool, main, put } from 'mobula';
import { isShared, megabytes } from '../shared-memory.js';
import { readFlights } from './flights.js';
import { fit, toOnnx } from './model.js';
import { Predictor } from './predictor.js';

const BATCH = 25_000;

main(async () => {
  const { features, delays } = readFlights();
  const linear = fit(features, delays);
  const model = await toOnnx(linear);
  const [perMile, perHour] = linear.weights;
  console.log(
    `minutes late: ${linear.bias.toFixed(2)}, ${perHour.toFixed(3)} for each hour of the day, ` +
      `${perMile.toFixed(5)} for each mile; as ONNX ${model.length} bytes`,
  );

  using shared = put(features); // sealed where it was written
  const predictors = [Predictor.remote(model), Predictor.remote(model)];
  const batches = Array.from({ length: Math.ceil(delays.length / BATCH) }, (_, i) => i * BATCH);
  const results = new ActorPool(predictors).map(
    (predictor, from) => predictor.predict(shared, from, Math.min(from + BATCH, delays.length)),
    batches,
  );
  let row = 0;
  let error = 0;
  let inPlace = 0;
  for await (const predictions of results) {
    for (const prediction of predictions) error += Math.abs(prediction - delays[row++]!);
    if (isShared(predictions)) inPlace++;
  }
  const copied = await Promise.all(predictors.map((predictor) => predictor.copied()));
  console.log(
    `mean error ${(error / row).toFixed(2)} min; ` +
      `${inPlace} of ${batches.length} batches of predictions arrived in shared memory`,
  );
  console.log(
    `of ${megabytes(features.byteLength + row * Float32Array.BYTES_PER_ELEMENT)} in and out ` +
      `${megabytes(copied.reduce((sum, bytes) => sum + bytes, 0))} were copied for ONNX Runtime`,
  );
});
