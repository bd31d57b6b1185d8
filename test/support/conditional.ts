/** A module that declares in the test what it does not declare in a worker. */
import { remote } from 'mobula';

const isTest = Reflect.get(globalThis, 'isTest') === true;

export const onlyInTheTest = isTest ? remote(() => 1) : undefined;
