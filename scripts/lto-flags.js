// Prints the compiler's flags for optimisation across translation units: GCC's, with ordinary code
// beside it for archivers that do not know the format. Other compilers get none.
import { execFileSync } from 'node:child_process';
import process from 'node:process';

const [command = 'g++', ...flags] = process.env.CXX?.split(' ') ?? [];
const macros = execFileSync(command, [...flags, '-dM', '-E', '-x', 'c++', '/dev/null'], {
  encoding: 'utf8',
});
if (!macros.includes('__clang__')) console.log('-flto=auto\n-ffat-lto-objects');
