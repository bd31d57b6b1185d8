import type { ActorAnswer, ActorReport, ActorRequest } from '../../transport/actor-message.js';
import type { PeerAddress } from '../../transport/peer.js';
import type { Core } from '../core.js';
import type { Death } from './actor-control.js';
import type { Director } from './director.js';

/** What hosts report to the director, and others ask of it. */
export class DirectorMail {
  readonly #core: Core;
  readonly #director: Director;

  constructor(core: Core, director: Director) {
    this.#core = core;
    this.#director = director;
  }

  /** Somebody reports or asks something; `hasJoined`: a process with a life of its own. */
  receive(message: ActorReport | ActorRequest, from: PeerAddress, hasJoined: boolean): void {
    switch (message.type) {
      case 'place':
        this.#director.place(message, hasJoined ? from : undefined);
        break;
      case 'left':
        this.#director.left(message);
        break;
      case 'stopped':
        this.#director.stopped(message);
        break;
      case 'actorFailed':
        this.#director.failed(message, message.restarts, message.death, message.mayRestart);
        break;
      case 'stopActor':
        void this.#director.stop(message).then(() => this.#answer(message.question, from));
        break;
      case 'killActor':
        void this.#director
          .kill(message, message.restart)
          .then(() => this.#answer(message.question, from));
        break;
      case 'superviseActor':
        this.#director.superviseFor(message, {
          peer: from,
          down: ({ index, generation }, death) =>
            this.#core.send({ type: 'childDown', index, generation, death }, from),
        });
        break;
      case 'startChild':
        void this.#director
          .startChild(message)
          .then((death) => this.#answer(message.question, from, death));
        break;
      case 'endChild':
        void this.#director.endChild(message).then(() => this.#answer(message.question, from));
        break;
      case 'retireChild':
        this.#director.retireChild(message);
        break;
      case 'constructed':
        this.#director.started(message);
        break;
      case 'whyActor': {
        const { index, generation } = message;
        this.#director.whyEnded(message, (death) => {
          const answer = { type: 'actorEnded', index, generation, death: death ?? null } as const;
          this.#send(answer, from);
        });
      }
    }
  }

  #answer(question: number, to: PeerAddress, death: Death | null = null): void {
    this.#send({ type: 'actorDone', question, death }, to);
  }

  #send(answer: ActorAnswer, to: PeerAddress): void {
    if (this.#core.peer.isOpen) this.#core.send(answer, to);
  }
}
