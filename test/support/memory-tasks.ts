import { context, remote } from 'mobula';
import { standAt, type Pass } from './gate.js';

/** Gives the number of its attempt. */
export const attemptAtGate = remote(async (pass: Pass) => {
  await standAt(pass);
  return context().attempt;
});

export const submitAttempt = remote(async (pass: Pass) => {
  return await attemptAtGate.options({ isolation: 'process' }).remote(pass);
});

/** Takes so many bytes, and has them until the gate is open. */
export const takeAtGate = remote(async (bytes: number, pass: Pass) => {
  const taken = new Uint8Array(bytes).fill(1);
  await standAt(pass);
  return taken.length;
});
