import { parentPort } from 'node:worker_threads';
import { answerTo, type Request } from './messages.js';

parentPort!.on('message', (request: Request) => {
  const answer = answerTo(request);
  const { result } = answer;
  const transfer = result instanceof Float64Array ? [result.buffer as ArrayBuffer] : [];
  parentPort!.postMessage(answer, transfer);
});
