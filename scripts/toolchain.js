import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import process from 'node:process';

export const root = dirname(import.meta.dirname);

/**
 * Ends the process with exit code 1 and one line on stderr.
 * @param {string} message
 * @returns {never}
 */
export function fail(message) {
  console.error(`mobula: ${message}`);
  process.exit(1);
}

/**
 * The folder whose include/node holds the headers of the running Node.
 * @returns {string}
 */
function nodeDir() {
  const executable = realpathSync(process.execPath);
  const prefix = dirname(dirname(executable));
  const header = join(prefix, 'include', 'node', 'node_api.h');
  if (!existsSync(header)) {
    fail(
      `Node's headers are missing: ${header} does not exist beside ${executable}; ` +
        'install Node from nodejs.org or add the package with its headers (Debian: libnode-dev)',
    );
  }
  return prefix;
}

/**
 * @param {string} command a name to look up on PATH, or a path
 * @returns {boolean}
 */
export function isExecutable(command) {
  const folders = command.includes('/') ? [''] : (process.env.PATH ?? '').split(delimiter);
  return folders.some((folder) => {
    try {
      accessSync(join(folder, command), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/**
 * The first of the commands that can be run. Ends the process when there is none.
 * @param {string} purpose what the tool is for, in the words of the message
 * @param {string[]} commands
 * @param {string} packages Debian's
 * @returns {string}
 */
export function requireTool(purpose, commands, packages = 'g++ make python3 cmake') {
  const found = commands.find(isExecutable);
  if (found !== undefined) return found;
  fail(
    `${purpose} is missing: looked for ${commands.join(', ')} on PATH; ` +
      `install it (Debian: apt-get install ${packages})`,
  );
}

/**
 * The environment in which node-gyp, cmake-js and prebuildify use the headers beside the running
 * Node and download nothing.
 * @param {'make' | 'cmake'} builder
 * @param {NodeJS.ProcessEnv} tools
 * @returns {NodeJS.ProcessEnv}
 */
function buildEnvironment(builder, tools) {
  const env = { ...process.env, ...tools };
  requireTool('A C++ compiler', [env.CXX?.split(' ')[0] ?? 'g++']);
  if (builder === 'cmake') {
    requireTool('CMake', ['cmake']);
    requireTool('A build tool for CMake', ['ninja', 'make']);
  } else {
    requireTool('make', ['make']);
    requireTool('Python', [process.env.PYTHON ?? 'python3', 'python']);
  }
  return { ...env, npm_config_nodedir: nodeDir() };
}

/**
 * Runs an installed build tool in the root folder. Ends the process when it fails, and with one line
 * when the headers, the compiler or what drives it is missing.
 * @param {'make' | 'cmake'} builder what the tool itself runs
 * @param {string} tool
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} [tools] CXX and the like, for another machine than this one
 */
export function build(builder, tool, args, tools = {}) {
  const installed = join(root, 'node_modules/.bin', tool);
  const { error, status } = spawnSync(existsSync(installed) ? installed : tool, args, {
    cwd: root,
    env: buildEnvironment(builder, tools),
    stdio: 'inherit',
  });
  if (error) fail(`${tool} could not be run (${error.message}); run npm install first`);
  if (status !== 0) process.exit(1);
}
