/** The layout of records in an outbox and an inbox: native/queue/peer.h has the contract. */

export const headerBytes = 48;

/** Indices of 32-bit words in a record's header. */
export const Word = {
  bytes: 0,
  op: 1,
  target: 2,
  targetUid: 3,
  length: 4,
  flags: 5,
  sequenceLow: 6,
  sequenceHigh: 7,
  sender: 8,
  senderUid: 9,
  devicesLow: 10,
  devicesHigh: 11,
} as const;

/** What a sent record is. */
export const Op = {
  submit: 1,
  call: 2,
  complete: 3,
  message: 4,
  item: 5,
  lend: 6,
  resume: 7,
  resubmit: 8,
  tally: 9,
  return: 10,
} as const;

/** What a received record is. */
export const RecordKind = {
  task: 1,
  call: 2,
  completion: 3,
  message: 4,
  bounced: 5,
  item: 6,
} as const;

/**
 * Flags of a task, bits. `wantedBack`: its payload comes back with a result that is in the store;
 * `mayRunAgain`: also when its worker is ended for the sake of others.
 */
export const TaskFlag = { wantedBack: 1, mayRunAgain: 2 } as const;

/** Flags of a bounced record: whether, as far as one can tell, it has ended its worker. */
export const Blame = { bystander: 0, culprit: 1 } as const;

/** Run queues: which kind of worker a task asks for; the driver takes what actors are to hold. */
export const RunQueue = { thread: 0, process: 1, actor: 2 } as const;

/** The target of a record that has bounced off a peer that ended; its targetUid is that peer's. */
export const noTarget = 0xffff_ffff;

/** Larger payloads travel as objects in the store. */
export const maxPayloadBytes = 8 * 1024;
