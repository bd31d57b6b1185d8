/** A module that goes on to use what it has declared, with no main(): a worker must not. */
import { remote } from 'mobula';

export const one = remote(() => 1);

export const result = one.remote();
