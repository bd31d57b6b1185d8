import type { Channel } from 'node:diagnostics_channel';
import { type RuntimeShutdownError, TaskCancelledError } from '../../common/errors.js';
import { native } from '../../store/binding.js';
import { endedPeer, type InboxRecord, type PeerAddress } from '../../transport/peer.js';
import { Blame, Op } from '../../transport/wire.js';
import type { Core } from '../core.js';
import { channels, type TaskEvent } from '../diagnostics.js';
import { ObjectRef, Reference, referenceOf } from '../objects/object-ref.js';
import { whenAllSettled } from '../objects/value-slot.js';
import { Answer, outOfTime, taskError } from './answers.js';
import { outOfMemory, type MemoryStop } from './memory-stops.js';
import { whyNoAnswer } from './no-answer.js';
import { ObjectStream, StreamReader } from './object-stream.js';
import { PendingRequest, type Destination, type Request } from './request.js';
import { RequestTable } from './request-table.js';
import { Reconstruction } from './reconstruction.js';
import { ResultRefs, StreamSink } from './result-sinks.js';
import { Results } from './results.js';
import { isRetryable } from './retry-policy.js';
import { currentTask, type RunningTask } from './running-task.js';
import { SpecSender, use } from './spec-sender.js';
import { countAttempt } from './task-spec.js';

export interface CancelOptions {
  /** End its worker when it does not react. */
  readonly force: boolean;
  /** Also cancel what it has submitted. */
  readonly recursive: boolean;
}

/**
 * The tasks and calls that a core has sent or is about to send, from the arguments to the answer.
 * It owns their results.
 */
export class Requests {
  /** A request is about to leave for this destination, for the first time or anew. */
  onRequest: (destination: Destination) => void = () => undefined;
  readonly reconstruction: Reconstruction;
  readonly #core: Core;
  readonly #sender: SpecSender;
  readonly results: Results;
  readonly #pending = new RequestTable();
  #sequence = 0;

  constructor(core: Core) {
    this.#core = core;
    this.results = new Results(core);
    this.reconstruction = new Reconstruction(core, this);
    this.#sender = new SpecSender(core, {
      isPending: (pending) => this.#isPending(pending),
      fail: (pending, error) => this.#fail(pending, error),
    });
  }

  /** A number of its own for what is sent by other means. */
  takeSequence(): number {
    return ++this.#sequence;
  }

  /** How many wait for an answer. */
  get pending(): number {
    return this.#pending.size;
  }

  /** What a request that waits for an answer is to settle. */
  referenceOf(sequence: number): Reference | undefined {
    return this.#pending.get(sequence)?.reference;
  }

  /** Sends a task or a call once its arguments that are refs have values. */
  send(request: Request): ObjectRef {
    const pending = this.#open(request, 1);
    this.#start(request, pending);
    return pending.ref;
  }

  /** Sends one whose result is an array of `count` results, each of which gets a ref. */
  sendForMany(request: Request, count: number): readonly ObjectRef[] {
    const pending = this.#open(request, count);
    const { reference, ref } = pending;
    const refs = new ResultRefs(this.#core, reference, ref, count, this.results.settle);
    pending.deliverTo(refs);
    this.#start(request, pending);
    return refs.refs;
  }

  /** Sends a generator's task, which may be `backpressure` unread items ahead. */
  openStream(request: Request, backpressure: number): ObjectStream {
    const pending = this.#open(request, 1);
    const { sequence, reference } = pending;
    const control = {
      taken: (count: number, producer: PeerAddress) =>
        this.#core.send({ type: 'taken', sequence, count }, producer),
      left: () => this.#leaveStream(sequence),
      cancel: (options: CancelOptions) => this.cancel(sequence, options),
      wait: () => this.#core.values.wait(),
    };
    const reader = new StreamReader(control, backpressure);
    const nextSequence = () => this.takeSequence();
    pending.deliverTo(
      new StreamSink(
        this.#core,
        reference,
        reader,
        request.route.what,
        nextSequence,
        this.results.settle,
      ),
    );
    this.#start(request, pending);
    return new ObjectStream(reader);
  }

  #open(request: Request, results: number): PendingRequest {
    this.#core.assertOpen();
    const { route } = request;
    this.#core.declarations.publish(route.declaration);
    const reference = new Reference(this.#core, this.#sequence + 1);
    this.#sequence += results;
    reference.isCall = route.destination.op === Op.call;
    return new PendingRequest(reference, new ObjectRef(reference), route, currentTask());
  }

  #start(request: Request, pending: PendingRequest): void {
    pending.reference.users = 1;
    this.#pending.add(pending.sequence, pending);
    const { anchor, load } = pending.route;
    if (load !== undefined) load.pending++;
    if (anchor !== undefined) referenceOf(anchor).users++;
    this.#core.hold();
    try {
      this.#sender.send(request, pending);
    } catch (error) {
      this.#finish(pending);
      throw error;
    }
    this.onRequest(pending.route.destination);
    publish(channelsOf(pending).submitted, pending);
  }

  /** As {@link Repeating.repeat}. */
  repeat(pending: PendingRequest, needs: readonly ObjectRef[], spec: Uint8Array): void {
    pending.reference.users = 1;
    this.#pending.add(pending.sequence, pending);
    this.#core.hold();
    for (const ref of needs) use(ref, pending);
    const slots = needs.map((ref) => referenceOf(ref).slot);
    whenAllSettled(slots, () => {
      if (!this.#isPending(pending)) return;
      const failed = slots.find(({ state }) => state === 'failed');
      if (failed === undefined) this.#resend(pending, spec);
      else this.#fail(pending, failed.error);
    });
  }

  /** Takes the answer to a request. */
  complete(record: InboxRecord): void {
    const { sequence, flags, start, end } = record;
    const pending = this.#pending.get(sequence);
    if (pending === undefined) {
      this.results.discardAnswer(record);
      return;
    }
    if (flags === Answer.thrown || flags === Answer.failed) {
      this.#completeFailed(pending, flags, start, end);
      return;
    }
    if (pending.sink === undefined) {
      this.results.settle(pending.reference, pending.ref, flags, start, end);
    }
    if (flags === Answer.stored) this.#core.lineage.answered(pending, start, end);
    this.#finish(pending);
  }

  #completeFailed(pending: PendingRequest, answer: number, start: number, end: number): void {
    const error = this.results.decodeError(pending.route.declaration.module, start, end);
    if (answer === Answer.failed) {
      this.#fail(pending, error);
      return;
    }
    if (pending.retriesLeft > 0 && isRetryable(pending.route.policy, error)) {
      pending.retriesLeft--;
      this.#resendLater(pending, pending.rare!.spec!);
      return;
    }
    this.#fail(pending, taskError(pending.what, error));
  }

  /** Takes one of the results of a request that has several. */
  item(record: InboxRecord): void {
    const { sequence, item, flags, start, end } = record;
    const sink = this.#pending.get(sequence)?.sink;
    if (sink === undefined) {
      this.results.discard(record);
      return;
    }
    if (sink instanceof StreamSink) {
      sink.heardFrom({ slot: record.sender, uid: record.senderUid });
    }
    sink.item(item, flags, start, end);
  }

  /** A request comes back: whoever should have run it is gone. */
  bounced(record: InboxRecord): void {
    const pending = this.#pending.get(record.sequence);
    if (pending === undefined) return;
    if (pending.route.destination.op === Op.call) {
      this.#failUnanswered(pending, record);
      return;
    }
    const stop = pending.rare?.memoryStops?.of(endedPeer(record));
    if (stop !== undefined) {
      this.#stopped(pending, stop, record);
      return;
    }
    const isToBlame = record.flags === Blame.culprit;
    const isLast = pending.retriesLeft === 0 && (isToBlame || pending.route.policy.retries === 0);
    if (isLast) {
      this.#failUnanswered(pending, record);
      return;
    }
    if (isToBlame) pending.retriesLeft--;
    const spec = this.#core.peer.inbox.slice(record.start, record.end);
    if (isToBlame) this.#resendLater(pending, spec);
    else this.#resend(pending, spec);
  }

  /** Its worker was ended, because memory was short: it runs again when there is some. */
  #stopped(pending: PendingRequest, stop: MemoryStop, record: InboxRecord): void {
    const { memoryStops, retriesLeft, route } = pending;
    const isLast = route.policy.retries === 0 || (stop.isAlone && retriesLeft === 0);
    if (isLast || memoryStops.areTooMany) {
      this.#fail(pending, outOfMemory(pending.what, stop));
      return;
    }
    if (stop.isAlone) pending.retriesLeft--;
    const spec = this.#core.peer.inbox.slice(record.start, record.end);
    pending.isSent = false;
    memoryStops.wait(() => this.#resend(pending, spec));
  }

  /** The driver is about to end the worker that runs it. */
  outOfMemory(stop: MemoryStop): void {
    this.#pending.get(stop.sequence)?.memoryStops.add(stop);
  }

  memoryIsBack(sequence: number): void {
    this.#pending.get(sequence)?.rare?.memoryStops?.end();
  }

  #resendLater(pending: PendingRequest, spec: Uint8Array): void {
    pending.isSent = false;
    const { retryDelay } = pending.route.policy;
    if (retryDelay === 0) {
      this.#resend(pending, spec);
      return;
    }
    pending.stopDelay = this.#core.timers.start(retryDelay, () => {
      pending.stopDelay = undefined;
      this.#resend(pending, spec);
    });
  }

  #resend(pending: PendingRequest, spec: Uint8Array): void {
    countAttempt(spec, 0);
    this.#sender.resend(pending, Op.resubmit, spec);
    this.onRequest(pending.route.destination);
    publish(channels.task.retried, pending);
  }

  #failUnanswered(pending: PendingRequest, record: InboxRecord): void {
    whyNoAnswer(this.#core, pending.route, endedPeer(record), (error) => {
      if (this.#isPending(pending)) this.#fail(pending, error);
    });
  }

  #isPending(pending: PendingRequest): boolean {
    return this.#pending.get(pending.sequence) === pending;
  }

  /** False when the request has been answered already. */
  cancel(sequence: number, options: CancelOptions): boolean {
    this.#core.assertOpen();
    const pending = this.#pending.get(sequence);
    if (pending === undefined) return false;
    if (pending.isSent) this.#recall(pending, options);
    this.#fail(pending, new TaskCancelledError(`${pending.what} was cancelled`));
    return true;
  }

  cancelChildren(parent: RunningTask, options: CancelOptions): void {
    for (const pending of [...this.#pending]) {
      if (pending.parent === parent) this.cancel(pending.sequence, options);
    }
  }

  /** Takes it out of its queue, or tells the worker that runs it. */
  #recall({ sequence }: PendingRequest, { force, recursive }: CancelOptions): void {
    const { peer } = this.#core;
    peer.flush();
    if (native.peerCancelQueued(peer.handle, sequence)) return;
    const where = native.peerWhereIs(peer.handle, sequence);
    if (where === undefined) return;
    const [slot, uid] = where;
    this.#core.send({ type: 'cancel', sequence, recursive, force }, { slot, uid });
    if (!force) return;
    const task = { owner: peer.address, sequence };
    this.#core.toDriver({ type: 'enforce', worker: { slot, uid }, task, within: 0 });
  }

  #leaveStream(sequence: number): void {
    const pending = this.#pending.get(sequence);
    if (pending === undefined) return;
    if (pending.isSent) this.#recall(pending, { force: false, recursive: true });
    if (pending.route.destination.op === Op.submit) this.#core.peer.tally(1, 0);
    this.#finish(pending);
  }

  /** The driver has ended the worker that ran it, because its time was up. */
  timedOut(sequence: number, timeout: number): void {
    const pending = this.#pending.get(sequence);
    if (pending !== undefined) this.#fail(pending, outOfTime(pending.what, timeout));
  }

  #fail(pending: PendingRequest, error: unknown): void {
    if (pending.sink === undefined) pending.reference.slot.settle('failed', error);
    else pending.sink.failed(error);
    if (pending.route.destination.op === Op.submit) this.#core.peer.tally(0, 1);
    this.#finish(pending);
  }

  #finish(pending: PendingRequest): void {
    const { reference, rare, route } = pending;
    this.#pending.delete(reference.sequence!);
    if (route.load !== undefined) route.load.pending--;
    if (route.anchor !== undefined) this.#core.values.endUse(referenceOf(route.anchor));
    if (reference.slot.state === 'failed') {
      this.#core.unobserved.add(pending.ref, reference, pending.what);
    }
    publish(channelsOf(pending).settled, pending);
    if (rare !== undefined) this.#finishRare(rare);
    this.#core.values.keepPromise(reference);
    this.#core.values.endUse(reference);
    this.#core.unhold();
  }

  #finishRare({
    sink,
    used = [],
    argumentsRow,
    dependenciesRow,
    stopDelay,
    giveUpPlace,
    whenEnded,
  }: NonNullable<PendingRequest['rare']>): void {
    stopDelay?.();
    giveUpPlace?.();
    sink?.ended();
    if (argumentsRow !== undefined) this.results.drop(argumentsRow);
    if (dependenciesRow !== undefined) this.results.drop(dependenciesRow);
    for (const ref of used) this.#core.values.endUse(referenceOf(ref));
    whenEnded?.();
  }

  /** Every task of that run queue fails: no worker for it will come. */
  fail(error: Error, queue: number): void {
    for (const pending of [...this.#pending]) {
      if (pending.route.destination.queue === queue) this.#fail(pending, error);
    }
  }

  /** Nothing will be answered any more. */
  close(error: RuntimeShutdownError): void {
    for (const pending of this.#pending) {
      pending.rare?.stopDelay?.();
      if (pending.sink === undefined) pending.reference.slot.settle('failed', error);
      else {
        pending.sink.failed(error);
        pending.sink.ended();
      }
      publish(channelsOf(pending).settled, pending);
    }
    this.#pending.clear();
  }
}

function channelsOf({ route }: PendingRequest) {
  return route.destination.op === Op.call ? channels.call : channels.task;
}

function publish(channel: Channel, { reference, what }: PendingRequest): void {
  if (!channel.hasSubscribers) return;
  const { state, error } = reference.slot;
  const failure = state === 'failed' ? { error } : {};
  channel.publish({ id: reference.id, name: what, ...failure } satisfies TaskEvent);
}
