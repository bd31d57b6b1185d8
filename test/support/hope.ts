import { remote } from 'mobula';
import { setHope } from './internals.js';

export const setHopeInWorker = remote((hopeMs: number) => setHope(hopeMs));
