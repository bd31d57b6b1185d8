import test from 'ava';
import { allocate, put } from 'mobula';
import { runInBoth, testInBoth } from '../../../build/test/support/runtime.js';
import { isSealedInPlace } from '../../../build/test/support/sealing.js';
import { FEATURES, fit, toOnnx } from '../onnx/model.js';
import { LocalPredictor, Predictor, tensorOf } from '../onnx/predictor.js';
import { lendsSharedMemory, outputOf } from './support.js';

const ROWS = 5000;
const linear = { weights: [2, -3], bias: 5 } as const;
const predictionOf = (a: number, b: number) => 2 * a - 3 * b + 5;

function makeFeatures(): Float32Array {
  const features = allocate(Float32Array, FEATURES * ROWS);
  for (let i = 0; i < features.length; i++) features[i] = (i * i) % 97;
  return features;
}

testInBoth('the data of a tensor is the view that it was made of', (t) => {
  const view = makeFeatures().subarray(200, 400);
  const { data, dims } = tensorOf(view, FEATURES);
  t.is(data, view);
  t.deepEqual(dims, [100, FEATURES]);
});

testInBoth('an actor predicts in shared memory, from features in shared memory', async (t) => {
  const features = makeFeatures();
  using shared = put(features);
  using predictor = Predictor.remote(await toOnnx(linear));
  const ref = predictor.predict(shared, 1000, ROWS);
  const predictions = await ref;
  t.deepEqual(
    predictions,
    Float32Array.from({ length: ROWS - 1000 }, (_, i) =>
      predictionOf(features[2 * (i + 1000)]!, features[2 * (i + 1000) + 1]!),
    ),
  );
  t.true(predictions.buffer instanceof SharedArrayBuffer);
  t.is((await ref).buffer, predictions.buffer);
  const bytes = (FEATURES + 1) * (ROWS - 1000) * Float32Array.BYTES_PER_ELEMENT;
  t.is(await predictor.copied(), lendsSharedMemory ? 0 : bytes);
});

testInBoth('predictions are sealed where ONNX Runtime has written them', async (t) => {
  const predictor = new LocalPredictor(await toOnnx(linear));
  await predictor.onStart();
  t.true(isSealedInPlace(await predictor.predict(makeFeatures(), 0, ROWS)));
  await predictor.onStop();
});

test('the fit finds the line that targets lie on', (t) => {
  const features = Float32Array.from({ length: 200 }, (_, i) => (i * i) % 97);
  const targets = Int16Array.from({ length: 100 }, (_, row) =>
    predictionOf(features[2 * row]!, features[2 * row + 1]!),
  );
  const found = fit(features, targets);
  const digits = [...found.weights, found.bias].map((value) => value.toFixed(6));
  t.deepEqual(digits, ['2.000000', '-3.000000', '5.000000']);
});

test.serial('the example predicts in batches that arrive in shared memory', async (t) => {
  const output = await outputOf(t, 'onnx');
  t.regex(output, /; 8 of 8 batches of predictions arrived in shared memory\n/);
  const copied = lendsSharedMemory ? '0.0' : '2.4';
  t.true(output.endsWith(`of 2.4 MB in and out ${copied} MB were copied for ONNX Runtime\n`));
});

runInBoth();
