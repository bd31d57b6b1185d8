import { SerializationError } from '../common/errors.js';
import { emptyArray, setOwn, TRUSTED_COUNT } from './arrays.js';
import { ByteReader, malformed } from './byte-reader.js';
import { createError, setErrorProperty, textOf } from './errors.js';
import { isTableKind, type CodecHooks } from './hooks.js';
import type { RecordViews } from './record.js';
import type { Registry } from './registry.js';
import { Extension, Tag } from './tags.js';

/** Reads the encoded part of a record back into a value. Not reentrant. */
export class ValueReader {
  readonly #reader = new ByteReader();
  readonly #hooks: CodecHooks;
  readonly #registry: Registry;
  #views: RecordViews | undefined;
  #objects: unknown[] | undefined;

  constructor(hooks: CodecHooks, registry: Registry) {
    this.#hooks = hooks;
    this.#registry = registry;
  }

  /** The value in `bytes` from `start` to exactly `end`. */
  read(
    bytes: Buffer,
    start: number,
    end: number,
    views: RecordViews | undefined,
    backReferences: boolean,
  ): unknown {
    const reader = this.#reader;
    reader.begin(bytes, start, end);
    this.#views = views;
    this.#objects = backReferences ? [] : undefined;
    try {
      const value = this.#readValue();
      if (reader.position !== end) throw malformed('bytes are left over at its end');
      return value;
    } catch (error) {
      const isTooDeep = error instanceof RangeError && error.message.includes('call stack');
      throw isTooDeep ? malformed('it is nested too deeply for the stack of this thread') : error;
    } finally {
      reader.clear();
      this.#views = undefined;
      this.#objects = undefined;
    }
  }

  #readValue(): unknown {
    const reader = this.#reader;
    const head = reader.readUint8();
    if (head < 0x80) return head;
    if (head < 0x90) return this.#readObject(head & 0x0f);
    if (head < 0xa0) return this.#readArray(head & 0x0f);
    if (head < 0xc0) return reader.readString(head & 0x1f);
    if (head >= 0xe0) return head - 0x100;
    return this.#readWide(head);
  }

  #readWide(head: number): unknown {
    const reader = this.#reader;
    switch (head) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xca:
        return reader.readFloat32();
      case 0xcb:
        return reader.readFloat64();
      case 0xcc:
        return reader.readUint8();
      case 0xcd:
        return reader.readUint16();
      case 0xce:
        return reader.readUint32();
      case 0xcf:
        return reader.readInt64(false);
      case 0xd0:
        return (reader.readUint8() << 24) >> 24;
      case 0xd1:
        return (reader.readUint16() << 16) >> 16;
      case 0xd2:
        return reader.readUint32() | 0;
      case 0xd3:
        return reader.readInt64(true);
      case 0xd9:
        return reader.readString(reader.readUint8());
      case 0xda:
        return reader.readString(reader.readUint16());
      case 0xdb:
        return reader.readString(reader.readUint32());
      case 0xdc:
        return this.#readArray(reader.readUint16());
      case 0xdd:
        return this.#readArray(reader.readUint32());
      case 0xde:
        return this.#readObject(reader.readUint16());
      case 0xdf:
        return this.#readObject(reader.readUint32());
      case 0xc7:
        return this.#readExtension(reader.readUint8());
      case 0xc8:
        return this.#readExtension(reader.readUint16());
      case 0xc9:
        return this.#readExtension(reader.readUint32());
      case 0xd4:
        return this.#readExtension(1);
      case 0xd5:
        return this.#readExtension(2);
      case 0xd6:
        return this.#readExtension(4);
      case 0xd7:
        return this.#readExtension(8);
      case 0xd8:
        return this.#readExtension(16);
      default:
        throw malformed(`a byte 0x${head.toString(16)} stands where a value should begin`);
    }
  }

  #readExtension(length: number): unknown {
    const reader = this.#reader;
    const type = reader.readUint8();
    switch (type) {
      case Extension.Undefined:
        reader.skip(length);
        return undefined;
      case Extension.BigInt:
        return this.#readBigInt(length);
      case Extension.Date:
        if (length !== 8) break;
        return this.#remember(new Date(reader.readFloat64()));
      case Extension.Utf16:
        if (length % 2 !== 0) break;
        return reader.readUtf16(length);
      case Extension.BackReference:
        if (length !== 4) break;
        return this.#readBackReference();
      case Extension.View:
        if (length !== 4) break;
        return this.#readView();
    }
    throw malformed(`an extension of type ${type} and ${length} bytes is unknown`);
  }

  #readBigInt(length: number): bigint {
    try {
      return this.#reader.readBigInt(length);
    } catch (error) {
      if (error instanceof SerializationError) throw error;
      throw malformed('a bigint is larger than this Node allows');
    }
  }

  #readBackReference(): unknown {
    const number = this.#reader.readUint32();
    const object = this.#objects?.[number];
    if (object === undefined) throw malformed(`object ${number} is referred to before it exists`);
    return object;
  }

  #readView(): unknown {
    const number = this.#reader.readUint32();
    if (this.#views === undefined) throw malformed('it has no binary data to view');
    return this.#remember(this.#views.view(number));
  }

  #readObject(count: number): object {
    const object: Record<string, unknown> = {};
    this.#objects?.push(object);
    for (let i = 0; i < count; i++) {
      const key = this.#readKey();
      const value = this.#readValue();
      if (key === '__proto__') setOwn(object, key, value);
      else object[key] = value;
    }
    return object;
  }

  #readKey(): string {
    const reader = this.#reader;
    const head = reader.readUint8();
    if (head >= 0xa0 && head < 0xc0) return reader.readString(head & 0x1f);
    if (head < 0xc0 || head >= 0xe0) throw malformed('a key is not a string');
    const key = this.#readWide(head);
    if (typeof key !== 'string') throw malformed('a key is not a string');
    return key;
  }

  #readArray(count: number): unknown {
    const reader = this.#reader;
    reader.need(count);
    if (count > 0 && this.#at(Extension.Tag)) return this.#readTagged(count - 1);
    const array = count <= TRUSTED_COUNT ? new Array<unknown>(count) : [];
    this.#objects?.push(array);
    for (let i = 0; i < count; i++) {
      if (this.#at(Extension.Hole)) {
        reader.readBytes(3);
        array.length = Math.max(array.length, i + 1);
      } else {
        array[i] = this.#readValue();
      }
    }
    return array;
  }

  /** Whether a one-byte extension of this type comes next. */
  #at(type: number): boolean {
    const { bytes, position } = this.#reader;
    return bytes[position] === 0xd4 && bytes[position + 1] === type;
  }

  #readTagged(count: number): unknown {
    const reader = this.#reader;
    reader.need(3);
    const tag = reader.bytes[reader.position + 2];
    reader.position += 3;
    switch (tag) {
      case Tag.Map:
        if (count % 2 !== 0) break;
        return this.#readMap(count / 2);
      case Tag.Set:
        return this.#readSet(count);
      case Tag.RegExp:
        if (count !== 2) break;
        return this.#readRegExp();
      case Tag.Boxed:
        if (count !== 1) break;
        return this.#readBoxed();
      case Tag.SparseArray:
        if (count % 2 !== 1) break;
        return this.#readSparseArray((count - 1) / 2);
      case Tag.Error:
        if (count < 2 || count % 2 !== 0) break;
        return this.#readError((count - 2) / 2);
      case Tag.DomException:
        if (count < 2 || count % 2 !== 0) break;
        return this.#readDomException((count - 2) / 2);
      case Tag.Registered:
        if (count !== 2) break;
        return this.#readRegistered();
      case Tag.Reference:
        if (count !== 1) break;
        return this.#readReference();
      case Tag.Arrow:
        if (count !== 2) break;
        return this.#readTable();
    }
    throw malformed(`an array of ${count} items is tagged ${tag}`);
  }

  #readMap(count: number): Map<unknown, unknown> {
    const map = this.#remember(new Map<unknown, unknown>());
    for (let i = 0; i < count; i++) {
      const key = this.#readValue();
      map.set(key, this.#readValue());
    }
    return map;
  }

  #readSet(count: number): Set<unknown> {
    const set = this.#remember(new Set<unknown>());
    for (let i = 0; i < count; i++) set.add(this.#readValue());
    return set;
  }

  #readRegExp(): RegExp {
    const source = this.#readText();
    const flags = this.#readText();
    try {
      return this.#remember(new RegExp(source, flags));
    } catch {
      throw malformed(`/${source}/${flags} is no regular expression here`);
    }
  }

  #readBoxed(): object {
    const slot = this.#reserve();
    const value = this.#readValue();
    if (value === null || value === undefined || typeof value === 'object') {
      throw malformed('a boxed value is not a primitive');
    }
    return this.#fill(slot, Object(value) as object);
  }

  #readSparseArray(count: number): unknown[] {
    const length = this.#readValue();
    if (typeof length !== 'number' || length < 0 || length >>> 0 !== length) {
      throw malformed('the length of an array is not one');
    }
    const array = this.#remember(emptyArray(length, count));
    for (let i = 0; i < count; i++) {
      const key = this.#readValue();
      if (typeof key !== 'string' && typeof key !== 'number') throw malformed('a key is no key');
      if (key === 'length' || (typeof key === 'number' && !(key < length))) {
        throw malformed('an array has an item past its length');
      }
      setOwn(array, key, this.#readValue());
    }
    return array;
  }

  #readError(count: number): Error {
    const className = this.#readText();
    const error = this.#remember(createError(className, this.#readText(), this.#hooks));
    for (let i = 0; i < count; i++) setErrorProperty(error, this.#readText(), this.#readValue());
    return error;
  }

  #readDomException(count: number): DOMException {
    const name = this.#readText();
    const error = this.#remember(new DOMException(this.#readText(), name));
    for (let i = 0; i < count; i++) setErrorProperty(error, this.#readText(), this.#readValue());
    return error;
  }

  #readRegistered(): unknown {
    const name = this.#readText();
    const serializer = this.#registry.byName(name);
    if (serializer === undefined) {
      throw new SerializationError(
        `the value holds an instance of '${name}', which is not registered here: call ` +
          `register(Class, { name: '${name}', ... }) in a module that both sides import`,
      );
    }
    const slot = this.#reserve();
    const first = this.#sharedViews;
    const data = this.#readValue();
    try {
      return this.#made(slot, serializer.decode(data), first);
    } catch (cause) {
      const what = `the value holds an instance of '${name}' whose decode() threw`;
      throw new SerializationError(`${what}: ${textOf(cause)}`, { cause });
    }
  }

  get #sharedViews(): number {
    return this.#views?.shared?.views.length ?? 0;
  }

  /** Remembers an instance, which may hide the views made since there were `first`. */
  #made(slot: number, instance: unknown, first: number): unknown {
    const shared = this.#views?.shared;
    if (typeof instance === 'object' && instance !== null && this.#sharedViews > first) {
      shared?.instances.push({ instance, views: shared.views.slice(first) });
    }
    return this.#fill(slot, instance);
  }

  #readTable(): unknown {
    const slot = this.#reserve();
    const first = this.#sharedViews;
    const kind = this.#readValue();
    const stream = this.#readValue();
    if (!(stream instanceof Uint8Array) || !isTableKind(kind)) {
      throw malformed('an Apache Arrow object is no stream of a known kind');
    }
    const { tables } = this.#hooks;
    if (tables === undefined)
      throw new SerializationError('the value holds Apache Arrow tables, which need a runtime');
    return this.#made(slot, tables.decode(stream, kind), first);
  }

  #readReference(): unknown {
    const head = this.#reader.readUint8();
    if (head !== 0xc6) throw malformed('a reference is not binary');
    const content = this.#reader.readBytes(this.#reader.readUint32());
    const { references } = this.#hooks;
    if (references === undefined)
      throw new SerializationError('the value holds refs, which need a runtime');
    return this.#remember(references.decode(content));
  }

  #readText(): string {
    const text = this.#readValue();
    if (typeof text !== 'string') throw malformed('a text is not a string');
    return text;
  }

  #remember<T>(object: T): T {
    this.#objects?.push(object);
    return object;
  }

  /** Takes the next number for an object that cannot exist before its contents. */
  #reserve(): number {
    return this.#objects === undefined ? 0 : this.#objects.push(undefined) - 1;
  }

  #fill<T>(slot: number, object: T): T {
    if (this.#objects !== undefined) this.#objects[slot] = object;
    return object;
  }
}
