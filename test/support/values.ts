import { actor, register, remote } from 'mobula';

/** Two-dimensional; its fields are private, so that only its serializer can carry them. */
export class Vector {
  readonly #x: number;
  readonly #y: number;
  constructor(x: number, y: number) {
    this.#x = x;
    this.#y = y;
  }
  get length(): number {
    return Math.hypot(this.#x, this.#y);
  }
  scaled(factor: number): Vector {
    return new Vector(this.#x * factor, this.#y * factor);
  }
  static {
    register(Vector, {
      name: 'test.Vector',
      encode: (vector) => [vector.#x, vector.#y] as const,
      decode: ([x, y]) => new Vector(x, y),
    });
  }
}

export class Grid {
  readonly cells: Float64Array;
  constructor(cells: Float64Array) {
    this.cells = cells;
  }
}
register(Grid, {
  name: 'test.Grid',
  encode: ({ cells }) => ({ cells }),
  decode: ({ cells }) => new Grid(cells),
});

/** Hides its array. */
export class Series {
  readonly #points: Float64Array;
  constructor(points: Float64Array) {
    this.#points = points;
  }
  static {
    register(Series, {
      name: 'test.Series',
      encode: (series) => series.#points,
      decode: (points) => new Series(points),
    });
  }
}

export class ParseError extends Error {
  readonly #line: number;
  constructor(line: number) {
    super(`line ${line}`);
    this.#line = line;
  }
  get line(): number {
    return this.#line;
  }
}
register(ParseError, {
  name: 'test.ParseError',
  encode: ({ line }) => line,
  decode: (line) => new ParseError(line),
});

export class OnlyHere {
  readonly #secret = 1;
  get secret(): number {
    return this.#secret;
  }
}

export const scale = remote((vector: Vector, factor: number) => vector.scaled(factor));
export const makeVectors = remote(() => {
  const vector = new Vector(3, 4);
  return { vector, all: new Map([['same', vector]]) };
});
export const lookAtGrid = remote((grid: Grid) => ({
  isGrid: grid instanceof Grid,
  isShared: grid.cells.buffer instanceof SharedArrayBuffer,
}));
class WalkerClass {
  #place: Vector;
  constructor(start: Vector) {
    this.#place = start;
  }
  walk(factor: number): Vector {
    return (this.#place = this.#place.scaled(factor));
  }
}
export const Walker = actor(WalkerClass);

export const throwParseError = remote((line: number) => {
  throw new ParseError(line);
});
export const makeOnlyThere = remote((how: 'return' | 'throw') => {
  class OnlyThere extends Error {}
  register(OnlyThere, {
    name: `test.OnlyThere.${how}`,
    encode: () => 1,
    decode: () => new OnlyThere(),
  });
  if (how === 'throw') throw new OnlyThere();
  return new OnlyThere();
});
