/** A linear model: how it is fitted, and written as an ONNX file. */
import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';

/** One row is so many numbers. */
export const FEATURES = 2;

export interface Linear {
  readonly weights: readonly [number, number];
  readonly bias: number;
}

/** Least squares of `targets` by two features, which lie row by row in `features`. */
export function fit(features: Float32Array, targets: Int16Array): Linear {
  const rows = targets.length;
  const mean = { a: 0, b: 0, y: 0 };
  for (let row = 0; row < rows; row++) {
    mean.a += features[2 * row]! / rows;
    mean.b += features[2 * row + 1]! / rows;
    mean.y += targets[row]! / rows;
  }
  let [aa, ab, bb, ay, by] = [0, 0, 0, 0, 0];
  for (let row = 0; row < rows; row++) {
    const a = features[2 * row]! - mean.a;
    const b = features[2 * row + 1]! - mean.b;
    const y = targets[row]! - mean.y;
    aa += a * a;
    ab += a * b;
    bb += b * b;
    ay += a * y;
    by += b * y;
  }
  const determinant = aa * bb - ab * ab;
  const weights = [(ay * bb - by * ab) / determinant, (by * aa - ay * ab) / determinant] as const;
  return { weights, bias: mean.y - weights[0] * mean.a - weights[1] * mean.b };
}

const FLOAT = 1;

/** The model as ONNX: y = x · weights + bias, for any number of rows. */
export async function toOnnx({ weights, bias }: Linear): Promise<Uint8Array> {
  const schema = await protobuf.load(fileURLToPath(new URL('onnx.proto', import.meta.url)));
  const model = schema.lookupType('onnx.ModelProto');
  return model
    .encode(
      model.fromObject({
        irVersion: 8,
        opsetImport: [{ domain: '', version: 17 }],
        graph: {
          name: 'linear',
          node: [{ opType: 'Gemm', input: ['x', 'weights', 'bias'], output: ['y'] }],
          initializer: [
            { name: 'weights', dims: [FEATURES, 1], dataType: FLOAT, floatData: weights },
            { name: 'bias', dims: [1], dataType: FLOAT, floatData: [bias] },
          ],
          input: [matrix('x', FEATURES)],
          output: [matrix('y', 1)],
        },
      }),
    )
    .finish();
}

function matrix(name: string, columns: number): object {
  const dim = [{ dimParam: 'rows' }, { dimValue: columns }];
  return { name, type: { tensorType: { elemType: FLOAT, shape: { dim } } } };
}
