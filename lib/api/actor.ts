import { checkFunction, checkKeys, checkObject, checkOneOf } from '../common/validate.js';
import {
  createActor,
  reservedMethods,
  type ActorHandle as Handle,
} from '../runtime/actors/actor-handle.js';
import { requireContext } from '../runtime/context.js';
import {
  callerModule,
  declare,
  type AnyClass,
  type Declaration,
} from '../runtime/tasks/functions.js';
import { assertNotImporting } from '../runtime/tasks/modules.js';
import type { ObjectRef } from '../runtime/objects/object-ref.js';
import type { Argument } from './remote.js';

export interface ActorOptions {
  /**
   * Where the actor lives: with others on a host thread (`'shared'`, the default), or in a thread or
   * process of its own.
   */
  isolation?: 'shared' | 'thread' | 'process';
}

type Arguments<A extends readonly unknown[]> = { [Index in keyof A]: Argument<A[Index]> };

/** Names an actor in a worker: each of its methods returns a ref to the result. */
export type ActorHandle<C> = {
  readonly [
    Method in keyof C as C[Method] extends (...args: never[]) => unknown ? Method : never
  ]: C[Method] extends (...args: infer A) => infer R
    ? (...args: Arguments<A>) => ObjectRef<Awaited<R>>
    : never;
} & { readonly actorId: string };

export type ActorClass<A extends readonly unknown[], C> = (new (...args: A) => C) & {
  /** Starts an actor; its constructor runs in its worker. */
  remote(...args: Arguments<A>): ActorHandle<C>;
  options(options: ActorOptions): { remote(...args: Arguments<A>): ActorHandle<C> };
};

const isolations = ['shared', 'thread', 'process'] as const;

function checkOptions(options: ActorOptions): Required<ActorOptions> {
  checkObject('options', options);
  checkKeys('options', options, ['isolation']);
  const { isolation = 'shared' } = options;
  return { isolation: checkOneOf('options.isolation', isolation, isolations) };
}

function checkMethods(type: AnyClass): void {
  for (const name of reservedMethods) {
    if (!(name in (type.prototype as object))) continue;
    throw new TypeError(`An actor cannot have a method named ${name}: handles use that name`);
  }
}

function start(
  declaration: Declaration<AnyClass>,
  { isolation }: Required<ActorOptions>,
  args: readonly unknown[],
): Handle {
  assertNotImporting(`${declaration.name}.remote()`);
  const context = requireContext();
  const { handle, address } = createActor(context.core, declaration, args);
  context.placeActor(address, isolation);
  return handle;
}

/**
 * Makes a class whose instances can live in workers. To be called at the top level of a module: a
 * worker imports that module to find it.
 */
export function actor<A extends readonly unknown[], C extends object>(
  type: new (...args: A) => C,
  options: ActorOptions = {},
): ActorClass<A, C> {
  checkFunction('type', type);
  const defaults = checkOptions(options);
  checkMethods(type as unknown as AnyClass);
  const module = callerModule(actor);
  if (module === undefined) {
    throw new TypeError('actor() needs a module that workers can import: put the code in a file');
  }
  const declaration = declare(type as unknown as AnyClass, module);
  const own = {
    remote: (...args: Arguments<A>) => start(declaration, defaults, args) as ActorHandle<C>,
    options: (more: ActorOptions) => {
      checkObject('options', more);
      const merged = checkOptions({ ...options, ...more });
      return {
        remote: (...args: Arguments<A>) => start(declaration, merged, args) as ActorHandle<C>,
      };
    },
  };
  return new Proxy(type, {
    get: (target, key, receiver) =>
      key === 'remote' || key === 'options'
        ? own[key]
        : (Reflect.get(target, key, receiver) as unknown),
  }) as ActorClass<A, C>;
}
