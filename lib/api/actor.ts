import { types } from 'node:util';
import { checkFunction, checkObject, invalidType } from '../common/validate.js';
import {
  createActor,
  reservedMethods,
  type ActorHandle as Handle,
} from '../runtime/actors/actor-handle.js';
import type { CheckedActorOptions } from '../runtime/actors/actor-options.js';
import type { CallOptions } from '../runtime/actors/call-options.js';
import { requireContext } from '../runtime/context.js';
import {
  callerModule,
  declare,
  type AnyClass,
  type Declaration,
} from '../runtime/tasks/functions.js';
import { assertNotImporting } from '../runtime/tasks/modules.js';
import { checkActorOptions, type ActorOptions } from './actor-options.js';
import type { Arguments, Submitted } from './submitted.js';

export type { CallOptions };

/**
 * Submits a call of a method: gives a ref to its result, or a stream for a generator; with the
 * option `returns` an array of refs.
 */
export interface ActorMethod<A extends readonly unknown[], R> {
  (...args: Arguments<A>): Submitted<R, object>;
  /** The same method, called with these options. */
  options<const O extends CallOptions>(options: O): (...args: Arguments<A>) => Submitted<R, O>;
}

/** Names an actor in a worker, and has its methods. To dispose it gives the name up. */
export type ActorHandle<C> = {
  readonly [
    Name in keyof C as C[Name] extends (...args: never[]) => unknown ? Name & string : never
  ]: C[Name] extends (...args: infer A) => infer R ? ActorMethod<A, R> : never;
} & {
  /** 32 hex digits, unique across machines. */
  readonly actorId: string;
} & Disposable;

/** The class itself, for instances here, which can also start actors. */
export type ActorClass<A extends readonly unknown[], C> = (new (...args: A) => C) & {
  /** Starts an actor; its constructor runs in its worker. */
  remote(...args: Arguments<A>): ActorHandle<C>;
  /** The same, with these options over those that `actor()` was given. */
  options(options: ActorOptions): {
    /** Starts an actor; its constructor runs in its worker. */
    remote(...args: Arguments<A>): ActorHandle<C>;
  };
};

function checkClass(type: unknown): void {
  checkFunction('type', type);
  const { prototype } = type as { prototype: unknown };
  const isClass = typeof prototype === 'object' && prototype !== null;
  if (!isClass || types.isGeneratorFunction(type)) throw invalidType('type', 'a class', type);
}

function checkMethods(type: AnyClass): void {
  for (const name of reservedMethods) {
    if (!(name in (type.prototype as object))) continue;
    throw new TypeError(`An actor cannot have a method named ${name}: handles use that name`);
  }
}

function start(
  declaration: Declaration<AnyClass>,
  options: CheckedActorOptions,
  args: readonly unknown[],
): Handle {
  assertNotImporting(`${declaration.name}.remote()`);
  return createActor(requireContext().core, declaration, options, args);
}

/**
 * Makes a class whose instances can live in workers. To be called at the top level of a module: a
 * worker imports that module to find it.
 */
export function actor<A extends readonly unknown[], C extends object>(
  type: new (...args: A) => C,
  options: ActorOptions = {},
): ActorClass<A, C> {
  checkClass(type);
  checkMethods(type as unknown as AnyClass);
  const module = callerModule(actor);
  if (module === undefined) {
    throw new TypeError('actor() needs a module that workers can import: put the code in a file');
  }
  const declaration = declare(type as unknown as AnyClass, module);
  const startWith = (given: ActorOptions) => {
    const checked = checkActorOptions(declaration, given);
    return (...args: Arguments<A>) =>
      start(declaration, checked, args) as unknown as ActorHandle<C>;
  };
  const own = {
    remote: startWith(options),
    options: (more: ActorOptions) => {
      checkObject('options', more);
      return { remote: startWith({ ...options, ...more }) };
    },
  };
  return new Proxy(type, {
    get: (target, key, receiver) =>
      key === 'remote' || key === 'options'
        ? own[key]
        : (Reflect.get(target, key, receiver) as unknown),
  }) as ActorClass<A, C>;
}
