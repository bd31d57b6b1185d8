import { fileURLToPath } from 'node:url';
import type { Reference } from './object-ref.js';

/** Deeper than the package's own frames ever are. */
const frameLimit = 30;

/**
 * Where the refs of a thread were made. Each costs a stack trace, so a core has this only when
 * somebody has asked for it.
 */
export class CallSites {
  readonly #sites = new WeakMap<Reference, string>();

  /** It is made by the code that runs now. */
  note(reference: Reference): void {
    const site = currentSite();
    if (site !== undefined) this.#sites.set(reference, site);
  }

  /** It was made elsewhere; undefined: nobody knows. */
  set(reference: Reference, site: string | undefined): void {
    if (site === undefined) this.#sites.delete(reference);
    else this.#sites.set(reference, site);
  }

  of(reference: Reference): string | undefined {
    return this.#sites.get(reference);
  }
}

const root = fileURLToPath(new URL('../../..', import.meta.url));
/** With source maps the package's frames are those of its TypeScript. */
const ownFrame = new RegExp(`(?:^|[ (])(?:file://)?${escaped(root)}(?:dist|lib)/`);

const anonymous = /^(?:Object\.)?<anonymous> \((.*)\)$/;

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

/**
 * The first frame that is neither the package's nor Node's: `file:line:column`, or `name (...)`.
 */
function currentSite(): string | undefined {
  const { stackTraceLimit } = Error;
  const holder: { stack?: unknown } = {};
  try {
    Error.stackTraceLimit = frameLimit;
    Error.captureStackTrace(holder, currentSite);
    return typeof holder.stack === 'string' ? siteIn(holder.stack) : undefined;
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

function siteIn(stack: string): string | undefined {
  for (const line of stack.split('\n')) {
    const frame = /^\s+at (?:async )?(.*:\d+:\d+\)?)$/.exec(line)?.[1];
    if (frame === undefined || ownFrame.test(frame) || /(?:^|\()node:/.test(frame)) continue;
    return frame.replace(anonymous, '$1');
  }
  return undefined;
}
