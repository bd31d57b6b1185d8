// Bundles a program and runs it: workers import the bundle, mobula itself stays outside.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

const folder = mkdtempSync(join(import.meta.dirname, 'node_modules/bundle-'));
try {
  const outfile = join(folder, 'bundled.mjs');
  await build({
    entryPoints: [join(import.meta.dirname, 'bundled.ts')],
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: ['mobula'],
    outfile,
  });
  execFileSync(process.execPath, [outfile], { stdio: 'inherit' });
} finally {
  rmSync(folder, { recursive: true });
}
