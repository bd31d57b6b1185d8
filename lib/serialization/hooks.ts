/** How the values that belong to the runtime travel: object refs and actor handles. */
export interface ReferenceCodec {
  /** Asked of every object that is neither a plain object nor a plain array. Must be cheap. */
  isReference(value: object): boolean;
  /** Bytes that stand for `value`; they are copied at once. */
  encode(value: object): Uint8Array;
  /** `bytes` are valid during the call only. */
  decode(bytes: Uint8Array): object;
}

export interface CodecHooks {
  readonly references?: ReferenceCodec;
  /**
   * The class of errors whose constructor had this name where they were encoded. Errors of built-in
   * classes are never asked for; undefined makes a plain Error with the original name. The
   * constructor of the class does not run.
   */
  resolveErrorClass?(className: string): ErrorClass | undefined;
}

export interface ErrorClass {
  readonly prototype: Error;
}

/** A class whose instances keep their class; see Codec.register. */
export interface Registration {
  readonly name: string;
  encode(value: object): unknown;
  decode(data: unknown): unknown;
}

/** The classes registered with one codec. */
export class Registry {
  readonly #byName = new Map<string, Registration>();
  readonly #byPrototype = new Map<object, Registration>();

  add(prototype: object, registration: Registration): void {
    const { name } = registration;
    if (this.#byName.has(name)) {
      throw new TypeError(`the serializer name '${name}' is taken: give each class its own name`);
    }
    if (this.#byPrototype.has(prototype)) {
      throw new TypeError(`the class registered as '${name}' is registered already`);
    }
    this.#byName.set(name, registration);
    this.#byPrototype.set(prototype, registration);
  }

  byName(name: string): Registration | undefined {
    return this.#byName.get(name);
  }

  /** Instances of a subclass are encoded as their nearest registered ancestor. */
  of(value: object): Registration | undefined {
    if (this.#byPrototype.size === 0) return undefined;
    let prototype = Object.getPrototypeOf(value) as object | null;
    while (prototype !== null) {
      const registration = this.#byPrototype.get(prototype);
      if (registration !== undefined) return registration;
      prototype = Object.getPrototypeOf(prototype) as object | null;
    }
    return undefined;
  }
}
