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
