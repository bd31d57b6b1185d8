import { FunctionNotFoundError, ObjectExistsError } from '../../common/errors.js';
import type { Core } from '../core.js';
import { systemId } from '../objects/ids.js';
import type { ObjectRef } from '../objects/object-ref.js';
import { outlast } from '../objects/outlast.js';
import type { Declaration } from './functions.js';

/** How workers find a function that they do not know: an object names its module. */
export class Declarations {
  readonly #core: Core;
  readonly #published = new Set<number>();
  /** The one that was published or asked for last: mostly it is the next one too. */
  #last: Declaration | undefined;

  constructor(core: Core) {
    this.#core = core;
  }

  /** Makes a declaration known to all who are sent its key. */
  publish(declaration: Declaration): void {
    if (declaration === this.#last) return;
    if (!this.#published.has(declaration.key)) this.#publish(declaration);
    this.#last = declaration;
  }

  #publish({ key, module, name }: Declaration): void {
    const id = this.#idOf(key);
    outlast(
      () => {
        if (this.#core.objects.addRef(id) !== undefined) return;
        const encoded = this.#core.codec.encode([module, name]);
        const put = () => this.#core.objects.put(encoded, { id, addRef: true });
        this.#core.room.now(encoded.size, put);
      },
      (error) => error instanceof ObjectExistsError,
    );
    this.#published.add(key);
  }

  /** Keeps a published declaration as long as it lives, whoever has published it. */
  refTo({ key }: Declaration): ObjectRef {
    return this.#core.references.borrow(this.#idOf(key));
  }

  /** Where a declaration that another thread has published can be imported. */
  async lookUp(key: number): Promise<{ module: string; name: string }> {
    const ref = this.#core.references.borrow(this.#idOf(key));
    try {
      const [module, name] = (await this.#core.values.read(ref)) as [string, string];
      return { module, name };
    } catch (cause) {
      throw new FunctionNotFoundError('The thread that declared the function has ended', { cause });
    } finally {
      ref[Symbol.dispose]();
    }
  }

  #idOf(key: number): string {
    return systemId(this.#core.storeId, `ffff${key.toString(16).padStart(12, '0')}`);
  }
}
