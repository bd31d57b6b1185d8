/** What users are told when the addon is not there, or the system refuses it. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { MobulaError } from '../common/errors.js';

/** Throws `MOBULA_UNSUPPORTED_PLATFORM` where Mobula cannot run however it is built. */
export function requireSupportedPlatform(): void {
  if (process.platform === 'linux') return;
  throw new MobulaError(
    'MOBULA_UNSUPPORTED_PLATFORM',
    `Mobula is not supported yet on ${process.platform}-${process.arch}: run it on Linux, ` +
      'in a container or a virtual machine for example. ' +
      'CONTRIBUTING.md of its repository says what a port takes',
  );
}

/** `MOBULA_ADDON`: which binary was wanted, why there is none, and how to build it. */
export function addonNotLoaded(packageRoot: string, cause: unknown): MobulaError {
  const reason = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
  return new MobulaError(
    'MOBULA_ADDON',
    `Mobula's native addon does not load on ${process.platform}-${process.arch} with ` +
      `${libc()} and Node ${process.version}: ${reason}. Build it from its sources, with a C++20 ` +
      `compiler, make and Python 3: ${buildCommand(packageRoot)}`,
    { cause },
  );
}

/** The C library that this process runs with. */
function libc(): string {
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return header.glibcVersionRuntime ? `glibc ${header.glibcVersionRuntime}` : 'musl';
}

/** An installed package has no build tools beside it, so npx brings them; a checkout has. */
function buildCommand(packageRoot: string): string {
  const build = 'npm run build:native';
  const hasTools = existsSync(join(packageRoot, 'node_modules/node-addon-api'));
  const command = hasTools ? build : `npx -y -p node-gyp@12 -p node-addon-api@8 -c "${build}"`;
  return `cd ${JSON.stringify(packageRoot)} && ${command}`;
}
