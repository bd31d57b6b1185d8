/** An actor that has a session of ONNX Runtime, and predicts from shared memory into shared memory. */
import { actor, allocate } from 'mobula';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { isShared, lend } from '../shared-memory.js';
import { FEATURES } from './model.js';

export class LocalPredictor {
  readonly #model: Uint8Array;
  #session: InferenceSession | undefined;
  #copied = 0;

  constructor(model: Uint8Array) {
    this.#model = model;
  }

  async onStart(): Promise<void> {
    const options = { intraOpNumThreads: 1 }; // the actors are what is parallel
    this.#session = await InferenceSession.create(this.#model.slice(), options);
  }

  async onStop(): Promise<void> {
    await this.#session?.release();
  }

  /** Predictions for the rows `[from, to)`. */
  async predict(features: Float32Array, from: number, to: number): Promise<Float32Array> {
    const predictions = allocate(Float32Array, to - from);
    const rows = features.subarray(FEATURES * from, FEATURES * to);
    const copied = await lend(rows, (input) => this.#run(input, predictions));
    this.#copied += copied;
    return predictions;
  }

  /** Bytes of features and predictions that were copied so far. */
  copied(): number {
    return this.#copied;
  }

  async #run(features: Float32Array, predictions: Float32Array): Promise<void> {
    const output = isShared(features) ? predictions : new Float32Array(predictions.length);
    const x = tensorOf(features, FEATURES);
    await this.#session!.run({ x }, { y: tensorOf(output, 1) });
    if (output === predictions) return;
    predictions.set(output);
    this.#copied += output.byteLength;
  }
}

export const Predictor = actor(LocalPredictor);

/** A tensor whose data is `view` itself. */
export function tensorOf(view: Float32Array, columns: number): Tensor {
  return new Tensor('float32', view, [view.length / columns, columns]);
}
