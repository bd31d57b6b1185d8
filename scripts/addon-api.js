// Prints the folder of node-addon-api's headers, from here: of the one beside this package, or of
// the npx that has been told to bring it.
import { createRequire } from 'node:module';
import { delimiter, dirname, relative } from 'node:path';
import process from 'node:process';
import { root } from './toolchain.js';

const broughtBy = (process.env.PATH ?? '').split(delimiter).map(dirname);
const manifest = createRequire(import.meta.url).resolve('node-addon-api/package.json', {
  paths: [root, ...broughtBy],
});
console.log(relative('.', dirname(manifest)));
