// Prints the C++ sources directly in the given folders, one path a line: binding.gyp's counterpart
// of CMake's file(GLOB). Of native/port those for the system that this runs on.
import { existsSync, readdirSync } from 'node:fs';
import process from 'node:process';

const foreign = process.platform === 'linux' ? '_unsupported.cc' : '_linux.cc';

for (const folder of process.argv.slice(2)) {
  if (!existsSync(folder)) continue;
  for (const name of readdirSync(folder).sort()) {
    if (name.endsWith('.cc') && !name.endsWith(foreign)) console.log(`${folder}/${name}`);
  }
}
