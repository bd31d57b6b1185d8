import type { Message } from '../../transport/message.js';
import type { InboxRecord } from '../../transport/peer.js';
import { Op } from '../../transport/wire.js';
import { native } from '../../store/binding.js';
import type { Core, Executor } from '../core.js';
import { Answer } from '../tasks/answers.js';
import { devicesOf } from '../tasks/devices.js';

/** What an actor holds for life, from when there is as much. */
export interface Grant {
  /** Given back, or no longer asked for. */
  end(): void;
}

type OnGranted = (gpus: readonly number[]) => void;

/**
 * What actors hold. It is asked for, granted in turn with what tasks ask for, and given back as if
 * the driver ran a task as long as the actor lives: the driver submits it, takes it and answers it.
 */
export class ActorGrants implements Executor {
  readonly #core: Core;
  readonly #waiting = new Map<number, OnGranted>();
  /** By the number of the task: the handles of those that are held. */
  readonly #held = new Map<number, number>();

  constructor(core: Core) {
    this.#core = core;
  }

  /** `onGranted` gets the indices of the gpus. */
  ask(shape: number, onGranted: OnGranted): Grant {
    const { peer, requests } = this.#core;
    const sequence = requests.takeSequence();
    this.#waiting.set(sequence, onGranted);
    peer.reserve();
    peer.commit(Op.submit, shape, 0, 0, sequence, 0);
    return { end: () => this.#end(sequence) };
  }

  #end(sequence: number): void {
    const { peer } = this.#core;
    if (!peer.isOpen) return;
    if (this.#waiting.delete(sequence)) {
      peer.flush();
      if (native.peerCancelQueued(peer.handle, sequence)) return;
    }
    const handle = this.#held.get(sequence);
    this.#held.delete(sequence);
    if (handle === undefined) return;
    peer.reserve();
    peer.commit(Op.complete, handle, 0, Answer.failed, 0, 0);
  }

  receive(record: InboxRecord): void {
    const { handle, sequence } = record;
    const onGranted = this.#waiting.get(sequence);
    this.#waiting.delete(sequence);
    this.#held.set(sequence, handle);
    if (onGranted === undefined) this.#end(sequence);
    else onGranted(devicesOf(record));
  }

  wantedTasks(): number {
    return this.#waiting.size;
  }

  received(): boolean {
    return false;
  }

  control(message: Message): void {
    throw new Error(`a driver runs no task, to be told ${message.type}`);
  }

  currentTask(): undefined {
    return undefined;
  }

  waitingTask(): undefined {
    return undefined;
  }

  beginWait(): void {
    throw new Error('a driver runs no task');
  }

  endWait(): void {
    throw new Error('a driver runs no task');
  }
}
