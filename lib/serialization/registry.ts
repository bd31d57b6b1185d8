/** How the instances of one class travel. Both functions may use the codec themselves. */
export interface Serializer<T extends object, D = unknown> {
  /** Names the class in the format; the same in every process. */
  readonly name: string;
  /** What stands for the instance: anything that can itself be encoded, without the instance. */
  encode(value: T): D;
  /** The instance, from what stands for it. */
  decode(data: D): T;
}

type AnySerializer = Serializer<object>;

/** The classes whose instances keep their class: one name each. For one thread. */
export class Registry {
  readonly #byName = new Map<string, object>();
  readonly #byPrototype = new Map<object, AnySerializer>();

  /**
   * Throws TypeError when the class or the name is taken. The same class under the same name takes
   * the new serializer.
   */
  add<T extends object, D>(
    registeredClass: { readonly prototype: T },
    serializer: Serializer<T, D>,
  ): void {
    const { prototype } = registeredClass;
    const { name } = serializer;
    if ((this.#byName.get(name) ?? prototype) !== prototype) {
      throw new TypeError(`the serializer name '${name}' is taken: give each class its own name`);
    }
    const known = this.#byPrototype.get(prototype);
    if (known !== undefined && known.name !== name) {
      throw new TypeError(
        `the class registered as '${name}' is registered already, as '${known.name}'`,
      );
    }
    this.#byName.set(name, prototype);
    this.#byPrototype.set(prototype, serializer);
  }

  byName(name: string): AnySerializer | undefined {
    const prototype = this.#byName.get(name);
    return prototype === undefined ? undefined : this.#byPrototype.get(prototype);
  }

  /** Goes by the exact class: a subclass is registered for itself or not at all. */
  of(value: object): AnySerializer | undefined {
    if (this.#byPrototype.size === 0) return undefined;
    return this.#byPrototype.get(Object.getPrototypeOf(value) as object);
  }
}
