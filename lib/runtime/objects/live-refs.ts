import { createRequire } from 'node:module';
import type * as Inspector from 'node:inspector';
import { ObjectRef } from './object-ref.js';

type Session = Inspector.Session;

const exchangeKey = Symbol.for('mobula.liveRefs');

/**
 * The ObjectRefs of this thread that can be reached, after a garbage collection. To note each ref
 * when it is made would cost every task as much as a tenth of its life; so the heap is searched
 * when somebody asks, which takes as long as the heap is large. None in a Node without an
 * inspector.
 */
export function liveRefs(): ObjectRef[] {
  if (!process.features.inspector) return [];
  const { Session } = createRequire(import.meta.url)('node:inspector') as typeof Inspector;
  const session = new Session();
  session.connect();
  try {
    return query(session);
  } finally {
    session.disconnect();
  }
}

/** The inspector knows objects by ids of its own: they come and go through a global property. */
function query(session: Session): ObjectRef[] {
  let found: ObjectRef[] = [];
  const exchange = {
    prototype: ObjectRef.prototype,
    take(refs: ObjectRef[]): void {
      found = refs;
    },
  };
  Object.defineProperty(globalThis, exchangeKey, { value: exchange, configurable: true });
  try {
    const name = `globalThis[Symbol.for('${exchangeKey.description}')]`;
    const prototype = post(session, 'Runtime.evaluate', { expression: `${name}.prototype` });
    const prototypeObjectId = objectIdIn(prototype, 'result');
    const refs = post(session, 'Runtime.queryObjects', { prototypeObjectId });
    post(session, 'Runtime.callFunctionOn', {
      objectId: objectIdIn(refs, 'objects'),
      functionDeclaration: `function () { ${name}.take([...this]) }`,
    });
  } finally {
    Reflect.deleteProperty(globalThis, exchangeKey);
  }
  return found;
}

/** The session's own thread answers at once. */
function post(session: Session, method: string, parameters: object): unknown {
  let result: unknown;
  session.post(method, parameters, (error, answer) => {
    if (error !== null) throw error;
    result = answer;
  });
  return result;
}

function objectIdIn(answer: unknown, name: string): string {
  return (answer as Record<string, { objectId: string }>)[name]!.objectId;
}
