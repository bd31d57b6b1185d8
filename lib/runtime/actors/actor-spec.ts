import type { Encoded } from '../../serialization/codec.js';
import type { Core } from '../core.js';
import { isRef, type ObjectRef } from '../objects/object-ref.js';
import type { Concurrency } from '../tasks/task-spec.js';

/** Arguments up to this size stand in the anchor itself. */
const inlineBytes = 512;

/**
 * What a host needs to make the actor, as often as it has to: the content of its anchor, the object
 * that lives as long as there are handles to it.
 */
export interface ActorSpec {
  /** The declaration of its class. */
  readonly key: number;
  /** Says where the class is; it may be needed when those who have published it are gone. */
  readonly declaration: ObjectRef;
  /** For messages. */
  readonly what: string;
  /** The constructor's: a record, or a ref to an object with the array; refs in it are resolved. */
  readonly args: Uint8Array | ObjectRef;
  readonly concurrency: Concurrency | null;
  /** What it holds for life. */
  readonly resources: Readonly<Record<string, number>>;
  /** Lives as long as the anchor. */
  readonly name: ObjectRef | null;
}

/** The arguments as the spec has them; what is disposed once the anchor holds it. */
export function encodeConstructorArguments(
  core: Core,
  args: readonly unknown[],
): { args: Uint8Array | ObjectRef; held: readonly ObjectRef[] } {
  const allocated: ObjectRef[] = [];
  const given = core.objects.hasAllocations
    ? args.map((argument) => {
        const ref = core.values.putAllocated(argument);
        if (ref !== undefined) allocated.push(ref);
        return ref ?? argument;
      })
    : args;
  const encoded = core.codec.encodeArguments(given, 0);
  if (isSmall(encoded)) return { args: bytesOf(encoded), held: [] };
  const ref = core.values.putEncoded(encoded);
  return { args: ref, held: [ref, ...allocated] };
}

function isSmall({ size, outOfBand, references }: Encoded): boolean {
  return size <= inlineBytes && !outOfBand && references.length === 0;
}

function bytesOf(encoded: Encoded): Uint8Array {
  const bytes = new Uint8Array(encoded.size);
  encoded.write(bytes, 0);
  return bytes;
}

/** Undefined when no handle is left. */
export function readActorSpec(core: Core, actorId: string): ActorSpec | undefined {
  return core.objects.contains(actorId) ? (core.objects.read(actorId) as ActorSpec) : undefined;
}

/** The class of the actor must be known, for the classes that its module registers. */
export async function readConstructorArguments(
  core: Core,
  { args }: ActorSpec,
): Promise<unknown[]> {
  const given = (isRef(args) ? core.objects.read(args.id) : core.codec.decode(args)) as unknown[];
  return Promise.all(
    given.map((argument) => (isRef(argument) ? core.values.read(argument) : argument)),
  );
}
