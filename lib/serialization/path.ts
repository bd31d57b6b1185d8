import { inspect } from 'node:util';

/** One step from a container to what it contains. */
export type PathStep = string | number | MapStep | SetStep | typeof ENCODED_FORM;

/** To the value of a Map under `key`; to the key itself when `toKey`. */
export interface MapStep {
  readonly key: unknown;
  readonly toKey: boolean;
}

/** To the member of a Set at this place in its order. */
export interface SetStep {
  readonly member: number;
}

/** From an instance of a registered class to what its serializer made of it. */
export const ENCODED_FORM = Symbol('encoded form');

const identifier = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;
const MOST_STEPS = 32;

/** Writes a path as one would in code: `value.items[3].callback`. */
export function formatPath(root: string, steps: readonly PathStep[]): string {
  if (steps.length <= MOST_STEPS) return `${root}${steps.map(formatStep).join('')}`;
  const ends = MOST_STEPS / 2;
  const head = steps.slice(0, ends).map(formatStep).join('');
  return `${root}${head}...${steps.slice(-ends).map(formatStep).join('')}`;
}

function formatStep(step: PathStep): string {
  if (step === ENCODED_FORM) return '';
  if (typeof step === 'number') return `[${String(step)}]`;
  if (typeof step === 'string') {
    return identifier.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`;
  }
  if ('member' in step) return `.values()[${String(step.member)}]`;
  return step.toKey ? '.keys()' : `.get(${formatKey(step.key)})`;
}

function formatKey(key: unknown): string {
  return typeof key === 'string' ? JSON.stringify(key) : inspect(key, { depth: 0 });
}
