/** A module that no worker can import. */
import { remote } from 'mobula';

if (Reflect.get(globalThis, 'isTest') !== true) throw new Error('this module is broken');

export const unreachable = remote(() => 1);
