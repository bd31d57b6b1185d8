import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { SerializationError } from '../../common/errors.js';
import { TableKind, type TableCodec, type TableKindCode } from '../../serialization/hooks.js';
import { declaringModules } from '../tasks/error-classes.js';

type Class<T> = new (content: never) => T;

interface Table {
  readonly batches: readonly object[];
  getChildAt(index: number): object | null;
}

/** What Mobula uses of apache-arrow. */
interface Library {
  readonly Table: new (content: readonly object[] | Record<string, object>) => Table;
  readonly RecordBatch: Class<object>;
  readonly Vector: Class<object>;
  tableToIPC(table: object, type: 'stream'): Uint8Array;
  tableFromIPC(stream: Uint8Array): Table;
}

const packageName = 'apache-arrow';
const classNames = {
  Table: TableKind.table,
  RecordBatch: TableKind.recordBatch,
  Vector: TableKind.vector,
};

const require = createRequire(import.meta.url);
const kinds = new WeakMap<object, TableKindCode | 'other'>();
const libraries = new WeakMap<object, Library>();
/** The copy that reads: the one that wrote first, else the one that user code would import. */
let reader: Library | undefined;

/**
 * Apache Arrow's tables by Apache Arrow's own code. A process may hold several copies of it, at the
 * least one for `import` and one for `require`, whose objects do not mix: what wrote a table must
 * be the copy that its class is from.
 */
export const arrow: TableCodec = {
  kindOf(value) {
    const prototype = Object.getPrototypeOf(value) as object;
    let kind = kinds.get(prototype);
    if (kind === undefined) {
      kind = kindOfPrototype(prototype);
      kinds.set(prototype, kind);
    }
    return kind === 'other' ? undefined : kind;
  },

  encode(value, kind) {
    const library = libraryOf(value, kind);
    reader ??= library;
    return library.tableToIPC(tableWith(library, value, kind), 'stream');
  },

  decode(stream, kind) {
    const table = (reader ??= findReader()).tableFromIPC(stream);
    const content =
      kind === TableKind.table
        ? table
        : kind === TableKind.recordBatch
          ? table.batches[0]
          : table.getChildAt(0);
    if (content === undefined || content === null) {
      throw new SerializationError('the value holds an Apache Arrow stream without its content');
    }
    return content;
  },
};

function kindOfPrototype(prototype: object): TableKindCode | 'other' {
  const known = Object.entries(classNames).find(([name]) => isMarked(prototype, name));
  return known?.[1] ?? 'other';
}

/** Releases before 21.2 have no marks, but name their classes on the classes themselves. */
function isMarked(prototype: object, name: string): boolean {
  if (Symbol.for(`${packageName}/${name}`) in prototype) return true;
  if (!(Symbol.isConcatSpreadable in prototype)) return false;
  return Reflect.get(prototype.constructor, Symbol.toStringTag) === name;
}

function tableWith({ Table }: Library, value: object, kind: TableKindCode): object {
  if (kind === TableKind.table) return value;
  return kind === TableKind.recordBatch ? new Table([value]) : new Table({ vector: value });
}

/** The copy whose class `value` is an instance of. */
function libraryOf(value: object, kind: TableKindCode): Library {
  const known = libraries.get(value.constructor);
  if (known !== undefined) return known;
  for (const load of copies()) {
    const library = load();
    if (library === undefined || !isFrom(library, value, kind)) continue;
    libraries.set(value.constructor, library);
    return library;
  }
  throw new SerializationError(
    `an Apache Arrow object is of a copy of ${packageName} that Mobula does not find: import the ` +
      'package by its name, from where the main module or one that calls remote() finds it too',
  );
}

function isFrom(
  { Table, RecordBatch, Vector }: Library,
  value: object,
  kind: TableKindCode,
): boolean {
  const type = [Table, RecordBatch, Vector][kind];
  return Object.prototype.isPrototypeOf.call(type!.prototype as object, value);
}

/** Every copy that is likely to be in use; each loads only if nothing else has matched before. */
function* copies(): Generator<() => Library | undefined> {
  for (const { file, twin } of installed()) {
    yield () => require.cache[file]?.exports as Library | undefined;
    if (twin !== undefined) yield () => loaded(twin);
  }
}

function findReader(): Library {
  for (const { file, twin, importing } of installed()) {
    const library = (importing && twin !== undefined ? loaded(twin) : undefined) ?? loaded(file);
    if (library !== undefined) return library;
  }
  throw new SerializationError(
    `the value holds an Apache Arrow table: run npm install ${packageName} to read it`,
  );
}

interface Installed {
  /** The build for `require`. */
  readonly file: string;
  /** The one for `import`. */
  readonly twin: string | undefined;
  /** Whether the module that finds it there is an ES module. */
  readonly importing: boolean;
}

/** Where user code finds the package, and Mobula itself. */
function* installed(): Generator<Installed> {
  for (const base of [...declaringModules(), process.argv[1], import.meta.url]) {
    if (base === undefined) continue;
    try {
      const from = createRequire(base);
      const file = from.resolve(packageName);
      const twin = file.replace(/\.c?js$/, '.mjs');
      const importing = !isCommonJs(base);
      yield { file, twin: existsSync(twin) ? twin : undefined, importing };
    } catch {
      // Not installed there, or no place on disk.
    }
  }
}

function isCommonJs(module: string): boolean {
  const file = module.startsWith('file:') ? fileURLToPath(module) : module;
  return require.cache[file] !== undefined;
}

/** An ES module that has been imported is the same one when it is required. */
function loaded(file: string): Library | undefined {
  try {
    return require(file) as Library;
  } catch {
    return undefined;
  }
}
