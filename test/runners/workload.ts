import { actor, remote } from 'mobula';

export const sum = remote((numbers: Float64Array) => numbers.reduce((total, n) => total + n, 0));

export const Counter = actor(
  class {
    #count = 0;

    add(by: number): number {
      return (this.#count += by);
    }
  },
);
