import { RecordBatch, Table, tableFromArrays, Vector } from 'apache-arrow';
import { remote } from 'mobula';

export interface SeenTable {
  readonly isTable: boolean;
  readonly rows: number;
  readonly columns: readonly string[];
  /** Whether the first column lies where the store has it. */
  readonly isShared: boolean;
  readonly sum: number;
}

export function look(table: Table): SeenTable {
  const column = table.getChildAt(0)!;
  let sum = 0;
  for (const { values } of column.data) for (const value of values as Float64Array) sum += value;
  return {
    isTable: table instanceof Table && table.constructor === Table,
    rows: table.numRows,
    columns: table.schema.fields.map(({ name }) => name),
    isShared: (column.data[0]!.values as Float64Array).buffer instanceof SharedArrayBuffer,
    sum,
  };
}

export function makeColumn(rows: number): Table {
  return tableFromArrays({ x: new Float64Array(rows).fill(0.5) });
}

export const lookAtTable = remote(look);
export const makeTable = remote(makeColumn);
export const describe = remote((batch: RecordBatch, vector: Vector) => ({
  batch: batch instanceof RecordBatch && batch.numRows,
  vector: vector instanceof Vector && vector.toJSON(),
}));
