import type { PeerAddress } from '../../transport/peer.js';
import type { Core } from '../core.js';
import type { Verdict } from '../tasks/reconstruction.js';
import { PeerIds } from './ids.js';
import { referenceOf, type Reference } from './object-ref.js';
import { Availability, lost, missingIn } from './shared-objects.js';
import { whenAllSettled } from './value-slot.js';

/** How often the life of the owners that were asked is looked at. */
const watchMs = 250;
/** When an owner that is busy with the object is asked again. */
const againMs = 20;

/**
 * What a thread does about objects that it wants to read and finds lost: it asks their owners, of
 * which it may be one, to make them again, and waits.
 *
 * 1. A ref whose object is lost counts as one whose object is in the store until somebody wants the
 *    value: nothing is made again for nobody.
 * 2. While an owner is asked, and from then on while the object is promised, the slots of those who
 *    want the value are pending.
 */
export class LostObjects {
  readonly #core: Core;
  /** Those whose owners have not answered yet, and who wants them. */
  readonly #asked = new Map<string, Reference[]>();
  #isWatching = false;

  constructor(core: Core) {
    this.#core = core;
  }

  /**
   * Whether lost objects may be made again: nothing is lost as long as it is referred to,
   * otherwise.
   */
  get areRemade(): boolean {
    return this.#core.lineage.isKept;
  }

  /** The id of the lost object that is why something could not be read. */
  missingIn(error: unknown): string | undefined {
    return this.areRemade ? missingIn(error) : undefined;
  }

  /**
   * What a read has thrown: if the object is lost, its slot is pending from now on, or has failed.
   */
  recover(reference: Reference, error: unknown): boolean {
    if (this.missingIn(error) !== reference.id || reference.slot.state !== 'stored') return false;
    this.#want(reference);
    return true;
  }

  /** As {@link recover}, for somebody who is about to wait for it. */
  notice(reference: Reference): void {
    const { id, slot } = reference;
    if (!this.areRemade || slot.state !== 'stored') return;
    if (this.#core.objects.availability(id) === Availability.lost) this.#want(reference);
  }

  /** Settles when an object that somebody else holds can be read; rejects when it never will be. */
  async whenFound(id: string): Promise<void> {
    const ref = this.#core.references.borrow(id);
    const { slot } = referenceOf(ref);
    this.notice(referenceOf(ref));
    await new Promise<void>((resolve) => whenAllSettled([slot], resolve));
    ref[Symbol.dispose]();
    if (slot.state === 'failed') throw slot.error;
  }

  isAsked(id: string): boolean {
    return this.#asked.has(id);
  }

  #want(reference: Reference): void {
    const { id, slot } = reference;
    slot.reopen();
    const others = this.#asked.get(id);
    if (others === undefined) {
      this.#asked.set(id, [reference]);
      this.#ask(id);
    } else {
      others.push(reference);
    }
    if (slot.state === 'pending') this.#core.references.watch(reference);
  }

  #ask(id: string): void {
    const core = this.#core;
    if (core.ids.isOwn(id)) {
      this.answered(id, core.requests.reconstruction.remake(id));
      return;
    }
    const owner = core.findPeer(PeerIds.issuerOf(id));
    if (owner === undefined) {
      this.answered(id, {
        why: 'it was evicted, and its owner, who could make it again, has ended',
      });
      return;
    }
    core.send({ type: 'remake', id }, owner);
    this.#watchOwners();
  }

  /** Somebody has found an object of this thread's lost. */
  answer(id: string, to: PeerAddress): void {
    const verdict = this.#core.requests.reconstruction.remake(id);
    this.#core.send({ type: 'remade', id, verdict }, to);
  }

  answered(id: string, { why, isBusy }: Verdict): void {
    if (isBusy === true) {
      this.#core.timers.start(againMs, () => {
        if (this.#asked.has(id)) this.#ask(id);
      });
      return;
    }
    const references = this.#asked.get(id) ?? [];
    this.#asked.delete(id);
    for (const reference of references) {
      if (why !== undefined) reference.slot.settle('failed', lost(id, why));
      this.#core.references.look(reference);
    }
  }

  #watchOwners(): void {
    if (this.#isWatching) return;
    this.#isWatching = true;
    this.#core.timers.start(watchMs, () => {
      this.#isWatching = false;
      for (const id of [...this.#asked.keys()]) {
        if (this.#core.findPeer(PeerIds.issuerOf(id)) === undefined) this.#ask(id);
        else this.#watchOwners();
      }
    });
  }

  close(): void {
    this.#asked.clear();
  }
}
