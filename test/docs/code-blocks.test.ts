/** The code of the README and the guides compiles, and prints what it says. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import ts from 'typescript';
import { Command } from '../support/command.js';
import { codeBlocksOf, pages, root, type CodeBlock } from '../support/guides.js';

const deadlineMs = 60_000;
/** In the package, where its own name is the package that is built. */
const folder = join(root, 'build', `code-blocks-${process.pid}`);
const blocks = pages().flatMap(codeBlocksOf);
const problems = new Map<string, string>();

function nameOf({ file, line }: CodeBlock): string {
  return `${file.replace(/\W/g, '-')}-${line}`;
}

/** All in one program, as users compile: strict, for Node. */
function compile(): void {
  const program = ts.createProgram(
    blocks.map((block) => join(folder, `${nameOf(block)}.mts`)),
    {
      target: ts.ScriptTarget.ES2022,
      lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
      types: ['node'],
      module: ts.ModuleKind.NodeNext,
      strict: true,
      skipLibCheck: true,
    },
  );
  for (const { file, messageText } of ts.getPreEmitDiagnostics(program)) {
    const name = file?.fileName ?? '';
    const message = ts.flattenDiagnosticMessageText(messageText, '\n');
    problems.set(name, `${problems.get(name) ?? ''}${message}\n`);
  }
  program.emit();
}

test.before(() => {
  mkdirSync(folder);
  for (const block of blocks) writeFileSync(join(folder, `${nameOf(block)}.mts`), block.code);
  compile();
});
test.after.always(() => rmSync(folder, { recursive: true, force: true }));

test('the README and each guide but the index have code', (t) => {
  const files = new Set(blocks.filter(({ isTypeOnly }) => !isTypeOnly).map(({ file }) => file));
  t.deepEqual(
    pages().filter((file) => !files.has(file)),
    ['docs/README.md'],
  );
});

for (const block of blocks) {
  const path = join(folder, nameOf(block));
  const where = `${block.file}, line ${block.line}`;

  test.serial(`the code compiles: ${where}`, (t) => {
    t.is(problems.get(`${path}.mts`), undefined);
  });

  if (block.isTypeOnly) continue;
  test.serial(`the code prints what it says: ${where}`, async (t) => {
    await using command = await Command.node(`${path}.mjs`);
    const deadline = setTimeout(() => command.kill('SIGKILL'), deadlineMs);
    const { code, signal, stdout, stderr } = await command.outcome;
    clearTimeout(deadline);
    t.deepEqual({ stdout, stderr, code, signal }, expected(block));
    t.deepEqual(await command.remains(5000), { processes: [], files: [] });
  });
}

function expected({ output }: CodeBlock) {
  return { stdout: output, stderr: '', code: 0, signal: null };
}
