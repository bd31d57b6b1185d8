/** How the values that belong to the runtime travel: object refs and actor handles. */
export interface ReferenceCodec {
  /** Asked of every object that is neither a plain object nor a plain array. Must be cheap. */
  isReference(value: object): boolean;
  /** Bytes that stand for `value`; they are copied at once. */
  encode(value: object): Uint8Array;
  /** `bytes` are valid during the call only. */
  decode(bytes: Uint8Array): object;
}

/** What of Apache Arrow a stream in its IPC format stands for. Numbers of the format. */
export const TableKind = { table: 0, recordBatch: 1, vector: 2 } as const;
export type TableKindCode = (typeof TableKind)[keyof typeof TableKind];

export function isTableKind(value: unknown): value is TableKindCode {
  return Object.values<unknown>(TableKind).includes(value);
}

/** How Apache Arrow's objects travel. What fails is a SerializationError without a path. */
export interface TableCodec {
  /** Asked of instances of classes only. Must be cheap. */
  kindOf(value: object): TableKindCode | undefined;
  encode(value: object, kind: TableKindCode): Uint8Array;
  /** The object may keep views on `stream`. */
  decode(stream: Uint8Array, kind: TableKindCode): object;
}

export interface CodecHooks {
  readonly references?: ReferenceCodec;
  readonly tables?: TableCodec;
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
