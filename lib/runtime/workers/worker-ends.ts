/** How long the word of a worker's end may take to come after the news of it. */
const patienceMs = 1000;
const maxKept = 1024;

type Listener = (reason: string | undefined) => void;

interface Question {
  readonly deadline: number;
  readonly listeners: Listener[];
}

/**
 * Why workers have ended, by their peer's uid. The driver sees it; the others ask it. What happens
 * to a worker's tasks may be known before.
 */
export class WorkerEnds {
  /** Asks somebody who knows, who answers by {@link add}. */
  ask: (uid: number) => void = () => undefined;
  readonly #reasons = new Map<number, string>();
  readonly #questions = new Map<number, Question>();

  add(uid: number, reason: string): void {
    this.#reasons.set(uid, reason);
    if (this.#reasons.size > maxKept) this.#reasons.delete(this.#reasons.keys().next().value!);
    this.#answer(uid, reason);
  }

  /** Calls back at once, or as soon as it is known; with undefined when it stays unknown. */
  reasonOf(uid: number, listener: Listener): void {
    const reason = this.#reasons.get(uid);
    if (reason !== undefined) {
      listener(reason);
      return;
    }
    const known = this.#questions.get(uid);
    if (known !== undefined) {
      known.listeners.push(listener);
      return;
    }
    this.#questions.set(uid, { deadline: Date.now() + patienceMs, listeners: [listener] });
    this.ask(uid);
    setTimeout(() => this.expire(), patienceMs + 1).unref();
  }

  /** Gives up questions that are too old; for a thread that blocks its event loop. */
  expire(): void {
    const now = Date.now();
    for (const [uid, { deadline }] of [...this.#questions]) {
      if (deadline <= now) this.#answer(uid, undefined);
    }
  }

  #answer(uid: number, reason: string | undefined): void {
    const question = this.#questions.get(uid);
    this.#questions.delete(uid);
    for (const listener of question?.listeners ?? []) listener(reason);
  }
}

export function exitReason(code: number): string {
  return `exit code ${code}`;
}
