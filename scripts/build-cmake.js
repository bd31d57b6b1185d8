// Builds the addon with cmake-js, as build/cmake-js/Release/mobula.node.
import { availableParallelism } from 'node:os';
import { build } from './toolchain.js';

const jobs = String(availableParallelism());
build('cmake', 'cmake-js', ['build', '--out', 'build/cmake-js', '--parallel', jobs]);
