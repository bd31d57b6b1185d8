import { SerializationError } from '../common/errors.js';
import { needsKeys } from './arrays.js';
import { ByteWriter } from './byte-writer.js';
import { errorParts, textOf } from './errors.js';
import type { CodecHooks, TableKindCode } from './hooks.js';
import { kindOf } from './kinds.js';
import { ENCODED_FORM, formatPath, type PathStep } from './path.js';
import type { Registry, Serializer } from './registry.js';
import { Extension, SAFE_DEPTH, Tag } from './tags.js';
import { viewOf, type BinaryValue, type View } from './views.js';

const SCANNED_OBJECTS = 16;
const NOTHING: readonly never[] = [];

/**
 * Walks a value once, in the order of its keys, and writes it as it goes: getters run once, equal
 * objects are numbered as they are met. Not reentrant.
 */
export class ValueWriter {
  readonly out = new ByteWriter();
  readonly #hooks: CodecHooks;
  readonly #registry: Registry;
  readonly #path: PathStep[] = [];
  #depth = 0;
  /** Of a list of arguments, how many items come before the first; undefined for a value. */
  #before: number | undefined;

  /** Objects met so far, by number; the index takes over when they are many. */
  readonly #objects = new Array<object | undefined>(SCANNED_OBJECTS).fill(undefined);
  #index: Map<object, number> | undefined;
  #count = 0;
  #unfinished: Set<object> | undefined;

  #backReferences = false;
  #references: object[] | undefined;
  #views: View[] | undefined;

  constructor(hooks: CodecHooks, registry: Registry) {
    this.#hooks = hooks;
    this.#registry = registry;
  }

  /** True when the value just written refers back to objects by number. */
  get backReferences(): boolean {
    return this.#backReferences;
  }

  /** References in the value just written, in the order met, each once. */
  get references(): readonly object[] {
    return this.#references ?? NOTHING;
  }

  /** Binary values in the value just written, by number. */
  get views(): readonly View[] {
    return this.#views ?? NOTHING;
  }

  write(value: unknown): void {
    this.#depth = 0;
    this.#before = undefined;
    try {
      this.#writeValue(value);
    } catch (error) {
      throw this.#explain(error);
    } finally {
      this.#forgetObjects();
    }
  }

  /**
   * Writes an array of which only the items count, and which nothing refers to: those from index
   * `before` on are the arguments of a call.
   */
  writeArguments(items: readonly unknown[], before: number): void {
    this.#depth = 0;
    this.#before = before;
    try {
      this.#wasMet(items);
      this.#writeItems(items);
    } catch (error) {
      throw this.#explain(error);
    } finally {
      this.#forgetObjects();
    }
  }

  /** Lets go of all that the value just written held. */
  clear(): void {
    this.#backReferences = false;
    this.#references = undefined;
    this.#views = undefined;
    this.out.trim();
  }

  #writeValue(value: unknown): void {
    switch (typeof value) {
      case 'number':
        this.out.writeNumber(value);
        return;
      case 'string':
        this.out.writeString(value);
        return;
      case 'boolean':
        this.out.writeByte(value ? 0xc3 : 0xc2);
        return;
      case 'undefined':
        this.out.writeUndefined();
        return;
      case 'bigint':
        this.out.writeBigInt(value);
        return;
      case 'object':
        if (value === null) this.out.writeByte(0xc0);
        else this.#writeObject(value);
        return;
      default:
        throw this.#unclonable(typeof value === 'function' ? 'a function' : 'a symbol');
    }
  }

  #writeObject(value: object): void {
    if (this.#wasMet(value)) return;
    const prototype = Object.getPrototypeOf(value) as unknown;
    if (prototype === Object.prototype || prototype === null) {
      this.#writeProperties(value as Record<string, unknown>);
      return;
    }
    if (prototype === Array.prototype && Array.isArray(value)) {
      this.#writeArray(value);
      return;
    }
    this.#writeSpecial(value);
  }

  #writeProperties(value: Record<string, unknown>): void {
    const keys = Object.keys(value);
    const depth = ++this.#depth;
    this.out.writeMapHeader(keys.length);
    for (const key of keys) {
      this.#path[depth] = key;
      this.out.writeString(key);
      this.#writeValue(value[key]);
    }
    this.#depth = depth - 1;
  }

  #writeArray(value: readonly unknown[]): void {
    if (needsKeys(value)) {
      this.#writeSparseArray(value);
      return;
    }
    this.#writeItems(value);
  }

  #writeItems(value: readonly unknown[]): void {
    const length = value.length;
    const depth = ++this.#depth;
    this.out.writeArrayHeader(length);
    for (let i = 0; i < length; i++) {
      this.#path[depth] = i;
      const item = value[i];
      if (item === undefined && !Object.hasOwn(value, i)) this.out.writeHole();
      else this.#writeValue(item);
    }
    this.#depth = depth - 1;
  }

  #writeSparseArray(value: readonly unknown[]): void {
    const keys = Object.keys(value);
    this.out.writeTagged(Tag.SparseArray, 1 + 2 * keys.length);
    this.out.writeNumber(value.length);
    for (const key of keys) {
      const index = Number(key);
      const isIndex = index < value.length && String(index) === key;
      if (isIndex) this.out.writeNumber(index);
      else this.out.writeString(key);
      this.#writeAt(isIndex ? index : key, Reflect.get(value, key));
    }
  }

  #writeSpecial(value: object): void {
    if (this.#hooks.references?.isReference(value) === true) {
      (this.#references ??= []).push(value);
      this.out.writeTagged(Tag.Reference, 1);
      this.out.writeBinary(this.#hooks.references.encode(value));
      return;
    }
    const serializer = this.#registry.of(value);
    if (serializer !== undefined) {
      this.#writeRegistered(value, serializer);
      return;
    }
    const kind = kindOf(value);
    switch (kind) {
      case 'array':
        this.#writeArray(value as unknown[]);
        return;
      case 'binary':
        this.#writeView(value as BinaryValue);
        return;
      case 'date':
        this.out.writeDate(Date.prototype.getTime.call(value));
        return;
      case 'map':
        this.#writeMap(value as Map<unknown, unknown>);
        return;
      case 'set':
        this.#writeSet(value as Set<unknown>);
        return;
      case 'regexp':
        this.out.writeTagged(Tag.RegExp, 2);
        this.out.writeString((value as RegExp).source);
        this.out.writeString((value as RegExp).flags);
        return;
      case 'boxed':
        this.out.writeTagged(Tag.Boxed, 1);
        this.#writeValue(unbox(value));
        return;
      case 'error':
        this.#writeError(value as Error);
        return;
      case 'domException':
        this.#writeDomException(value as DOMException);
        return;
      case 'plain':
        this.#writeInstance(value);
        return;
      default:
        throw this.#unclonable(kind.unclonable);
    }
  }

  #writeRegistered(value: object, serializer: Serializer<object>): void {
    this.out.writeTagged(Tag.Registered, 2);
    this.out.writeString(serializer.name);
    const unfinished = (this.#unfinished ??= new Set());
    unfinished.add(value);
    this.#writeAt(ENCODED_FORM, this.#encodedForm(value, serializer));
    unfinished.delete(value);
  }

  #encodedForm(value: object, serializer: Serializer<object>): unknown {
    try {
      return serializer.encode(value);
    } catch (cause) {
      const what = `an instance of '${serializer.name}' whose encode() threw: ${textOf(cause)}`;
      throw this.#unclonable(what, { cause });
    }
  }

  /** An instance of a class that means nothing to the format, or only looks like one that does. */
  #writeInstance(value: object): void {
    const kind = this.#hooks.tables?.kindOf(value);
    if (kind === undefined) this.#writeProperties(value as Record<string, unknown>);
    else this.#writeTable(value, kind);
  }

  #writeTable(value: object, kind: TableKindCode): void {
    this.out.writeTagged(Tag.Arrow, 2);
    this.out.writeNumber(kind);
    let stream: Uint8Array;
    try {
      stream = this.#hooks.tables!.encode(value, kind);
    } catch (cause) {
      throw this.#unclonable(`an Apache Arrow object: ${textOf(cause)}`, { cause });
    }
    this.#writeValue(stream);
  }

  #writeView(value: BinaryValue): void {
    const view = viewOf(value);
    if (view === undefined) {
      throw this.#unclonable(
        'on a detached buffer: it was transferred, its contents are elsewhere',
      );
    }
    const views = (this.#views ??= []);
    this.out.writeIndex(Extension.View, views.length);
    views.push(view);
  }

  #writeMap(value: Map<unknown, unknown>): void {
    const entries = [...Map.prototype.entries.call(value)];
    this.out.writeTagged(Tag.Map, 2 * entries.length);
    for (const [key, item] of entries) {
      this.#writeAt({ key, toKey: true }, key);
      this.#writeAt({ key, toKey: false }, item);
    }
    this.#path[this.#depth + 1] = ''; // Holds on to no key.
  }

  #writeSet(value: Set<unknown>): void {
    const items = [...Set.prototype.values.call(value)];
    this.out.writeTagged(Tag.Set, items.length);
    for (const [member, item] of items.entries()) this.#writeAt({ member }, item);
  }

  #writeError(error: Error): void {
    const { className, name, properties } = errorParts(error);
    this.out.writeTagged(Tag.Error, 2 + 2 * properties.length);
    this.out.writeString(className);
    this.out.writeString(name);
    this.#writePairs(properties);
  }

  #writeDomException(error: DOMException): void {
    const { properties } = errorParts(error);
    const stack: (readonly [string, unknown])[] = [['stack', error.stack]];
    const others = properties.filter(([key]) => key !== 'stack');
    this.out.writeTagged(Tag.DomException, 4 + 2 * others.length);
    this.out.writeString(error.name);
    this.out.writeString(error.message);
    this.#writePairs(stack.concat(others));
  }

  #writePairs(pairs: readonly (readonly [string, unknown])[]): void {
    for (const [key, value] of pairs) {
      this.out.writeString(key);
      this.#writeAt(key, value);
    }
  }

  #writeAt(step: PathStep, value: unknown): void {
    const depth = ++this.#depth;
    this.#path[depth] = step;
    this.#writeValue(value);
    this.#depth = depth - 1;
  }

  /** Refers back to an object met before; otherwise gives this one the next number. */
  #wasMet(value: object): boolean {
    const count = this.#count;
    if (this.#index !== undefined) return this.#wasIndexed(this.#index, value);
    for (let i = 0; i < count; i++) {
      if (this.#objects[i] === value) return this.#referBack(value, i);
    }
    if (count === SCANNED_OBJECTS) {
      this.#index = new Map();
      for (let i = 0; i < count; i++) this.#index.set(this.#objects[i]!, i);
      return this.#wasIndexed(this.#index, value);
    }
    this.#objects[count] = value;
    this.#count = count + 1;
    return false;
  }

  #wasIndexed(index: Map<object, number>, value: object): boolean {
    const number = index.get(value);
    if (number !== undefined) return this.#referBack(value, number);
    index.set(value, this.#count++);
    return false;
  }

  #referBack(value: object, number: number): true {
    if (this.#unfinished?.has(value) === true) {
      throw this.#unclonable(
        'inside its own encoded form: a registered class cannot be in a cycle',
      );
    }
    this.#backReferences = true;
    this.out.writeIndex(Extension.BackReference, number);
    return true;
  }

  #forgetObjects(): void {
    const used = Math.min(this.#count, SCANNED_OBJECTS);
    for (let i = 0; i < used; i++) this.#objects[i] = undefined;
    this.#count = 0;
    this.#index = undefined;
    this.#unfinished = undefined;
    if (this.#path.length > SAFE_DEPTH) this.#path.length = 0;
  }

  #unclonable(what: string, options?: ErrorOptions): SerializationError {
    return new SerializationError(`${this.#formatPath()} is ${what}`, options);
  }

  #formatPath(): string {
    const steps = this.#path.slice(1, this.#depth + 1);
    if (this.#before === undefined) return formatPath('value', steps);
    const [index, ...inside] = steps;
    return formatPath('arguments', [(index as number) - this.#before, ...inside]);
  }

  /** Says in words that the stack of the thread was too small; all else is thrown as it is. */
  #explain(error: unknown): unknown {
    this.#path.length = 0;
    const isStackOverflow =
      error instanceof RangeError &&
      error.message.includes('call stack') &&
      this.#depth > SAFE_DEPTH;
    if (!isStackOverflow) return error;
    const what = this.#before === undefined ? 'value' : 'an argument';
    const levels = String(this.#depth);
    return new SerializationError(`${what} is nested more than ${levels} levels deep: flatten it`);
  }
}

function unbox(value: object): unknown {
  if (value instanceof Number) return Number.prototype.valueOf.call(value);
  if (value instanceof String) return String.prototype.valueOf.call(value);
  if (value instanceof Boolean) return Boolean.prototype.valueOf.call(value);
  return BigInt.prototype.valueOf.call(value);
}
