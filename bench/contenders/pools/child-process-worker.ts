import { answerTo, type Request } from './messages.js';

process.on('message', (request) => process.send!(answerTo(request as Request)));
