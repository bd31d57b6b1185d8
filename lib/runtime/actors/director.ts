import type { Channel } from 'node:diagnostics_channel';
import { nextTick } from 'node:process';
import { ActorState, native } from '../../store/binding.js';
import type { PeerAddress } from '../../transport/peer.js';
import type { Core } from '../core.js';
import { channels, type ActorEvent } from '../diagnostics.js';
import { keyOf, type ActorAddress } from './actor-address.js';
import type { ActorControl, Death, Placement } from './actor-control.js';
import { ActorGrants } from './actor-grants.js';
import { giveUpName } from './actor-names.js';
import { AnchorWatch } from './anchor-watch.js';
import { Directed, type Host, type Hosts, type Supervisor } from './directed.js';

/** A host that is to give an actor up has this long before it is ended itself. */
const graceMs = 1000;
const endless = -1;
/** When so many workers in a row have ended before they were ready, the next one will, too. */
const maxFailedStarts = 3;
/** How long somebody who asks why an actor has ended waits for the driver to see it. */
const patienceMs = 1000;

/**
 * Finds hosts for the actors of a runtime, restarts them and ends them: in its driver. What calls
 * may do meanwhile is a matter of their rows in the segment, which the director moves from state to
 * state before it tells their hosts.
 */
export class Director implements ActorControl {
  readonly #core: Core;
  readonly #hosts: Hosts;
  readonly #grants: ActorGrants;
  readonly #anchors: AnchorWatch;
  readonly #actors = new Map<number, Directed>();
  /** Those whose host is ready for them. */
  readonly #arriving = new Set<Directed>();
  #isClosed = false;

  constructor(core: Core, hosts: Hosts) {
    this.#core = core;
    this.#hosts = hosts;
    this.#grants = new ActorGrants(core);
    this.#anchors = new AnchorWatch(core, () => this.#look());
    core.executor = this.#grants;
    core.actors = this;
  }

  get hasActors(): boolean {
    return [...this.#actors.values()].some(({ state }) => state !== 'dead');
  }

  /** `maker` takes it along at its end, unless it is detached. */
  place(placement: Placement, maker?: PeerAddress): void {
    if (this.#isClosed) return;
    const isOwn = maker === undefined || placement.isDetached;
    const { peer, references } = this.#core;
    if (isOwn && !native.peerAdoptActor(peer.handle, placement.index, placement.generation)) return;
    const actor = new Directed(this.#core.storeId, placement, isOwn ? undefined : maker);
    this.#actors.set(keyOf(actor), actor);
    this.#anchors.watch(actor.id);
    if (placement.isDetached) actor.anchor = references.borrow(actor.id);
    if (placement.shape === null) {
      this.#seekHost(actor);
      return;
    }
    actor.grant = this.#grants.ask(placement.shape, (gpus) => {
      actor.gpus = gpus;
      this.#seekHost(actor);
    });
  }

  #seekHost(actor: Directed): void {
    const host = this.#hosts.hostFor(actor.placement.isolation);
    actor.host = host;
    host.actors.add(actor);
    if (host.address !== undefined) this.#arrive(actor);
  }

  hostReady(host: Host): void {
    for (const actor of host.actors) this.#arrive(actor);
  }

  #arrive(actor: Directed): void {
    this.#arriving.add(actor);
    if (this.#arriving.size === 1) nextTick(() => this.admit());
  }

  /** Hosts those whose hosts are ready. Their orders come before their calls. */
  admit(): void {
    const arriving = [...this.#arriving].filter(({ host }) => host?.address !== undefined);
    this.#arriving.clear();
    if (arriving.length === 0 || this.#isClosed) return;
    for (const actor of arriving) {
      const { gpus, host, index, generation, restarts } = actor;
      const reports = actor.supervisor !== undefined;
      const order = { type: 'construct', index, generation, restarts, gpus, reports } as const;
      this.#core.send(order, host!.address!);
    }
    this.#core.peer.flush();
    for (const actor of arriving) this.#admit(actor);
  }

  #admit(actor: Directed): void {
    const { host, index, generation, restarts } = actor;
    const { slot, uid } = host!.address!;
    const { handle } = this.#core.peer;
    if (!native.peerHostActor(handle, index, generation, slot, uid, restarts)) {
      this.#notAdmitted(actor);
      return;
    }
    actor.state = 'alive';
    actor.failedStarts = 0;
    if (actor.mustStop) this.#stop(actor);
  }

  /** Its host has ended, of which somebody will tell, or whoever has made it has. */
  #notAdmitted(actor: Directed): void {
    if (this.#rowOf(actor) !== ActorState.ended) return;
    this.#tellHost('evict', actor);
    this.#comeAway(actor);
    this.#bury(actor, { name: actor.placement.what, reason: 'the process that made it has ended' });
  }

  #tellHost(type: 'evict' | 'retire', { host, index, generation }: Directed): void {
    if (host?.address !== undefined) this.#core.send({ type, index, generation }, host.address);
  }

  /** The host of an actor could not make it, or what the actor has started has failed. */
  failed(address: ActorAddress, restarts: number, death: Death, mayRestart: boolean): void {
    const actor = this.#actors.get(keyOf(address));
    if (actor?.restarts !== restarts) return;
    if (actor.state === 'stopping') this.#leave(actor, death);
    if (actor.state !== 'alive') return;
    const isToRestart = mayRestart || actor.supervisor !== undefined;
    if (isToRestart && this.#unhost(actor)) this.#leave(actor, death);
    else this.#end(actor, death);
  }

  /** False when no restarts are left. */
  #unhost({ index, generation }: Directed): boolean {
    return native.peerUnhostActor(this.#core.peer.handle, index, generation);
  }

  /** Takes it from its host, for the reason why it may not have another one. */
  #leave(actor: Directed, death: Death): void {
    actor.state = 'leaving';
    actor.death = death;
    this.#tellHost('evict', actor);
    const { host, restarts } = actor;
    actor.stopDelay = this.#core.timers.start(graceMs, () => {
      if (actor.state !== 'leaving' || actor.restarts !== restarts) return;
      this.#hosts.endHost(host!, `${actor.placement.what}, which it hosted, did not give way`);
    });
  }

  /** Its host has given it up, and its calls back. */
  left(address: ActorAddress): void {
    const actor = this.#actors.get(keyOf(address));
    if (actor?.state === 'leaving') this.#hasLeft(actor);
  }

  #hasLeft(actor: Directed): void {
    this.#comeAway(actor);
    if (this.#rowOf(actor) === ActorState.restarting) this.#restart(actor, actor.death!);
    else this.#bury(actor, actor.death!);
  }

  #rowOf({ index, generation }: Directed): number {
    return native.peerActorState(this.#core.peer.handle, index, generation);
  }

  #comeAway(actor: Directed): void {
    actor.stopDelay?.();
    actor.stopDelay = undefined;
    const { host } = actor;
    actor.host = undefined;
    host?.actors.delete(actor);
    if (host !== undefined && !actor.isShared) this.#hosts.dismissHost(host);
  }

  #restart(actor: Directed, death: Death): void {
    actor.state = 'restarting';
    actor.death = undefined;
    actor.restarts++;
    publish(channels.actor.restarting, actor, death);
    this.#call(actor, 'onMoved');
    if (actor.supervisor === undefined) this.#startAgain(actor);
    else this.#tellSupervisor(actor, death);
  }

  #startAgain(actor: Directed): void {
    const { restartDelay } = actor.placement;
    const again = () => {
      actor.stopDelay = undefined;
      this.#seekHost(actor);
    };
    if (restartDelay === 0) again();
    else actor.stopDelay = this.#core.timers.start(restartDelay, again);
  }

  /** What it hosted is restarted, as far as the rows say so. */
  hostEnded(host: Host, reason: string): void {
    for (const actor of [...host.actors]) {
      this.#comeAway(actor);
      this.#lostHost(actor, host, reason);
    }
  }

  #lostHost(actor: Directed, host: Host, why: string): void {
    const { death, placement, state } = actor;
    if (host.address === undefined && ++actor.failedStarts === maxFailedStarts) {
      const reason = `none of its workers starts; the last one ended: ${why}`;
      this.#end(actor, { name: placement.what, reason });
      return;
    }
    if (state === 'alive' && this.#rowOf(actor) === ActorState.alive) this.#unhost(actor);
    const end = death ?? { name: placement.what, reason: `its worker ended: ${why}` };
    if (this.#rowOf(actor) === ActorState.restarting) this.#restart(actor, end);
    else if (state === 'pending') this.#seekHost(actor);
    else this.#end(actor, end);
  }

  /** It has done its last call, and run its stop hook. */
  stopped(address: ActorAddress): void {
    const actor = this.#actors.get(keyOf(address));
    if (actor?.state !== 'stopping') return;
    this.#comeAway(actor);
    this.#bury(actor, actor.death!);
  }

  stop(address: ActorAddress): Promise<void> {
    const actor = this.#actors.get(keyOf(address));
    if (actor === undefined || actor.state === 'dead') return Promise.resolve();
    actor.mustStop = true;
    if (actor.state === 'alive') this.#stop(actor);
    return this.#when(actor, 'onDead');
  }

  /** After the calls that have come so far; none come any more. */
  #stop(actor: Directed): void {
    const reason = actor.mustStop ? 'it was stopped' : 'its last handle was given up';
    actor.state = 'stopping';
    actor.death = { name: actor.placement.what, reason };
    this.#core.endActor(actor);
    this.#tellHost('retire', actor);
  }

  kill(address: ActorAddress, restart: boolean): Promise<void> {
    const actor = this.#actors.get(keyOf(address));
    if (actor === undefined || actor.state === 'dead') return Promise.resolve();
    const ended = this.#when(actor, restart ? 'onMoved' : 'onDead');
    const death = { name: actor.placement.what, reason: 'it was killed' };
    if (!restart || actor.state === 'stopping') this.#end(actor, death);
    else if (actor.state !== 'alive') this.#call(actor, 'onMoved');
    else if (this.#unhost(actor)) this.#part(actor, death);
    else this.#end(actor, death);
    return ended;
  }

  /** Those that live alone go with their worker. */
  #part(actor: Directed, death: Death): void {
    if (actor.isShared) {
      this.#leave(actor, death);
      return;
    }
    actor.state = 'leaving';
    actor.death = death;
    this.#hosts.endHost(actor.host!, death.reason);
  }

  /** For good. Calls that wait come back at once, those that its host has when that gives it up. */
  #end(actor: Directed, death: Death): void {
    this.#core.endActor(actor);
    const isHosted = actor.host !== undefined && actor.state !== 'pending';
    if (isHosted && actor.state !== 'restarting') {
      if (actor.state === 'leaving') actor.death = death;
      else this.#part(actor, death);
      return;
    }
    this.#comeAway(actor);
    this.#bury(actor, death);
  }

  #bury(actor: Directed, death: Death): void {
    actor.state = 'dead';
    actor.death = death;
    const { nameId } = actor.placement;
    publish(channels.actor.ended, actor, death);
    this.#core.endActor(actor);
    if (nameId !== null) giveUpName(this.#core, nameId, actor);
    actor.grant?.end();
    actor.anchor?.[Symbol.dispose]();
    this.#call(actor, 'onMoved');
    this.#call(actor, 'onDead');
    this.#callStarted(actor, undefined);
    this.#anchors.lookSoon();
  }

  whyEnded(address: ActorAddress, listener: (death: Death | undefined) => void): void {
    const actor = this.#actors.get(keyOf(address));
    if (actor === undefined || actor.state === 'dead' || actor.state === 'stopping') {
      listener(actor?.death);
      return;
    }
    let stop: () => void = () => undefined;
    const answer = () => {
      stop();
      listener(actor.death);
    };
    (actor.onDead ??= []).push(answer);
    stop = this.#core.timers.start(patienceMs, answer);
  }

  #when(actor: Directed, event: 'onMoved' | 'onDead'): Promise<void> {
    this.#core.hold();
    return new Promise((resolve) => {
      (actor[event] ??= []).push(() => {
        this.#core.unhold();
        resolve();
      });
    });
  }

  #call(actor: Directed, event: 'onMoved' | 'onDead'): void {
    const listeners = actor[event] ?? [];
    actor[event] = undefined;
    for (const listener of listeners) listener();
  }

  supervise(address: ActorAddress, onDown: (death: Death) => void): void {
    const { address: peer } = this.#core.peer;
    this.superviseFor(address, { peer, down: (_actor, death) => onDown(death) });
  }

  superviseFor({ index, generation }: ActorAddress, supervisor: Supervisor): void {
    const actor = this.#actors.get(keyOf({ index, generation }));
    if (actor === undefined) return;
    actor.supervisor = supervisor;
    native.peerSetRestarts(this.#core.peer.handle, index, generation, endless);
  }

  /** A child that its supervisor has ended is not down by itself. */
  #tellSupervisor(actor: Directed, death: Death): void {
    this.#callStarted(actor, death);
    if (actor.isEnding) return;
    const supervisor = actor.supervisor!;
    const { slot, uid } = supervisor.peer;
    if (native.peerIsLive(this.#core.peer.handle, slot, uid)) supervisor.down(actor, death);
    else this.#end(actor, death);
  }

  startChild(address: ActorAddress): Promise<Death | undefined> {
    const actor = this.#actors.get(keyOf(address));
    // Somebody has stopped or killed it, and so it is done.
    if (actor === undefined || actor.state === 'dead') return Promise.resolve(undefined);
    actor.isEnding = false;
    return new Promise((resolve) => {
      (actor.onStarted ??= []).push(resolve);
      if (actor.state === 'restarting' && actor.host === undefined) this.#startAgain(actor);
    });
  }

  /** The host of a supervised actor has made it. */
  started(address: ActorAddress): void {
    const actor = this.#actors.get(keyOf(address));
    if (actor?.state === 'alive') this.#callStarted(actor, undefined);
  }

  #callStarted(actor: Directed, death: Death | undefined): void {
    const listeners = actor.onStarted ?? [];
    actor.onStarted = undefined;
    for (const listener of listeners) listener(death);
  }

  /** Its calls wait until it is started again, or retired. */
  endChild(address: ActorAddress): Promise<void> {
    const actor = this.#actors.get(keyOf(address));
    if (actor === undefined || actor.state === 'dead') return Promise.resolve();
    actor.isEnding = true;
    const death = { name: actor.placement.what, reason: 'its supervisor has ended it' };
    if (actor.state === 'alive' && this.#unhost(actor)) this.#part(actor, death);
    if (actor.state === 'leaving') return this.#when(actor, 'onMoved');
    if (actor.state === 'restarting') {
      this.#comeAway(actor);
      this.#callStarted(actor, death);
    }
    return Promise.resolve();
  }

  retireChild(address: ActorAddress): void {
    const actor = this.#actors.get(keyOf(address));
    if (actor === undefined || actor.state === 'dead') return;
    this.#end(actor, { name: actor.placement.what, reason: 'its supervisor has ended it' });
  }

  /** Somebody who has made or supervises actors has ended. */
  ownerEnded(owner: PeerAddress): void {
    for (const actor of [...this.#actors.values()]) {
      if (actor.state === 'dead') continue;
      const isMaker = actor.maker?.uid === owner.uid;
      if (!isMaker && actor.supervisor?.peer.uid !== owner.uid) continue;
      const who = isMaker ? 'the process that made it' : 'the thread of its supervisor';
      this.#end(actor, { name: actor.placement.what, reason: `${who} has ended` });
    }
  }

  /** Ends the actors that have no handles any more, and forgets those that have ended. */
  #look(): void {
    for (const [key, actor] of this.#actors) {
      if (this.#core.objects.contains(actor.id)) continue;
      if (actor.state === 'dead') this.#actors.delete(key);
      else this.#orphaned(actor);
    }
  }

  #orphaned(actor: Directed): void {
    if (actor.state === 'alive') this.#stop(actor);
    else if (actor.state === 'pending' || actor.state === 'restarting') {
      this.#end(actor, { name: actor.placement.what, reason: 'its last handle was given up' });
    }
  }

  /** All actors end with the runtime. */
  close(): void {
    this.#isClosed = true;
    this.#anchors.close();
    for (const actor of this.#actors.values()) {
      actor.stopDelay?.();
      this.#call(actor, 'onMoved');
      this.#call(actor, 'onDead');
      this.#callStarted(actor, undefined);
    }
    this.#actors.clear();
  }
}

function publish(channel: Channel, { id, placement, restarts }: Directed, { reason }: Death): void {
  if (!channel.hasSubscribers) return;
  const { what } = placement;
  channel.publish({ actorId: id, name: what, restarts, reason } satisfies ActorEvent);
}
