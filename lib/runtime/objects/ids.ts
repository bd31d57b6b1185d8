/** Where an id says that it has no sequence number. */
const freshMark = 20;

/**
 * Object ids of one peer: six bytes of the store's random id, four of the peer's uid, six that
 * count. Unique across machines; the same for the same number.
 */
export class PeerIds {
  readonly #prefix: string;
  #fresh = 0;

  constructor(storeId: string, uid: number) {
    this.#prefix = storeId.slice(0, 12) + uid.toString(16).padStart(8, '0');
  }

  /** Names the peer. */
  get peerId(): string {
    return this.#prefix;
  }

  of(sequence: number): string {
    return this.#prefix + sequence.toString(16).padStart(12, '0');
  }

  /** An id that no sequence number has. */
  fresh(): string {
    return `${this.#prefix}8${(++this.#fresh).toString(16).padStart(11, '0')}`;
  }

  /** As {@link fresh}, for an item of a stream. */
  freshItem(): string {
    return `${this.#prefix}9${(++this.#fresh).toString(16).padStart(11, '0')}`;
  }

  isOwn(id: string): boolean {
    return id.startsWith(this.#prefix);
  }

  /** The sequence number of an id of this peer's that has one. */
  ownSequence(id: string): number | undefined {
    const hasSequence = this.isOwn(id) && !isPut(id) && !isItem(id);
    return hasSequence ? PeerIds.sequenceOf(id) : undefined;
  }

  /** The uid of the peer that an id is one of. */
  static issuerOf(id: string): number {
    return Number.parseInt(id.slice(12, 20), 16);
  }

  static sequenceOf(id: string): number {
    return Number.parseInt(id.slice(20), 16);
  }
}

/** Whether an id is a {@link PeerIds.fresh} one. */
export function isPut(id: string): boolean {
  return id[freshMark] === '8';
}

export function isItem(id: string): boolean {
  return id[freshMark] === '9';
}

/**
 * Where the uid of a peer stands in an id of the runtime's own; native/include/mobula/object_id.h.
 */
const systemMark = 'ffff';

/**
 * An id of what the runtime needs itself, by 16 hex digits: of a declaration `ffff...`, of an
 * actor's name `f...`, of its anchor any others.
 */
export function systemId(storeId: string, digits: string): string {
  return `${storeId.slice(0, 12)}${systemMark}${digits}`;
}

export function isSystemId(id: string): boolean {
  return id.startsWith(systemMark, 12);
}

export const idBytes = 16;

export function writeId(id: string, target: Uint8Array, offset: number): void {
  for (let i = 0; i < idBytes; i++) {
    target[offset + i] = (digit(id.charCodeAt(2 * i)) << 4) | digit(id.charCodeAt(2 * i + 1));
  }
}

export function readId(source: Uint8Array, offset: number): string {
  let id = '';
  for (let i = 0; i < idBytes; i++) id += hexBytes[source[offset + i]!]!;
  return id;
}

const hexBytes = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** The value of a lowercase hex digit. */
function digit(code: number): number {
  return code < 0x3a ? code - 0x30 : code - 0x57;
}
