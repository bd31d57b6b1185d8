/** What counts as growth, and as a fall, in parts of the memory. */
const stepShare = 0.01;
const fallShare = 0.01;
/** So many times it must have grown, with no fall between. */
const steps = 20;
/** Below that it does not matter. */
const leastShare = 0.5;

/**
 * Tells, once, that bytes only grow: twenty samples were each higher than all before by a hundredth
 * of the memory, above half of it, and none between was lower by as much. What goes up and down,
 * however slowly, is no growth, nor is what has filled up and stays.
 */
export class Growth {
  readonly #memory: number;
  /** The next step is counted from here. */
  #mark: number;
  #highest = 0;
  #highestSinceFall = 0;
  #grown = 0;
  #hasTold = false;

  constructor(memory: number) {
    this.#memory = memory;
    this.#mark = leastShare * memory;
  }

  get hasTold(): boolean {
    return this.#hasTold;
  }

  /** Takes a sample. */
  isProvenBy(bytes: number): boolean {
    if (this.#hasTold) return false;
    if (bytes <= this.#highestSinceFall - fallShare * this.#memory) {
      this.#grown = 0;
      this.#mark = Math.max(this.#mark, this.#highest);
      this.#highestSinceFall = bytes;
    }
    this.#highest = Math.max(this.#highest, bytes);
    this.#highestSinceFall = Math.max(this.#highestSinceFall, bytes);
    if (bytes < this.#mark + stepShare * this.#memory) return false;
    this.#mark = bytes;
    this.#grown++;
    this.#hasTold = this.#grown >= steps;
    return this.#hasTold;
  }
}
