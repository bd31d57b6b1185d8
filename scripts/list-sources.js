// Prints the C++ sources directly in the given folders, one path a line: binding.gyp's counterpart
// of CMake's file(GLOB).
import { existsSync, readdirSync } from 'node:fs';
import process from 'node:process';

for (const folder of process.argv.slice(2)) {
  if (!existsSync(folder)) continue;
  for (const name of readdirSync(folder).sort()) {
    if (name.endsWith('.cc')) console.log(`${folder}/${name}`);
  }
}
