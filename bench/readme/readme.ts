/** The performance section of the README, which is made from the results file that is kept. */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { writeCharts } from '../charts/write.js';
import type { ResultsDocument } from '../harness/results.js';
import { sectionOf } from './section.js';

const begin = '<!-- made by npm run bench:readme -->';
const end = '<!-- end of what npm run bench:readme has made -->';
const keptFolder = 'bench/results/kept';

const ownRoot = fileURLToPath(new URL('../../../', import.meta.url));

/** Of the checkout in a folder. */
export class Readme {
  readonly path: string;
  /** Of the results file that is kept, and its charts. */
  readonly folder: string;

  constructor(root = ownRoot) {
    this.path = join(root, 'README.md');
    this.folder = join(root, keptFolder);
  }

  get results(): string {
    return join(this.folder, 'results.json');
  }

  /** What it should say; throws when it has no place for that. */
  async textFor(document: ResultsDocument): Promise<string> {
    const text = await readFile(this.path, 'utf8');
    const [before, rest] = text.split(begin);
    const [, after] = rest?.split(end) ?? [];
    if (after === undefined) {
      throw new Error(`README.md has no lines '${begin}' and '${end}' for the section`);
    }
    const parts = [`${before}${begin}`, sectionOf(document, keptFolder), `${end}${after}`];
    return formatted(parts.join('\n\n'), this.path);
  }

  /** Keeps the results, draws their charts and writes the section. */
  async update(document: ResultsDocument): Promise<void> {
    const text = await this.textFor(document);
    await mkdir(this.folder, { recursive: true });
    await this.#removeCharts();
    await writeFile(this.results, await formatted(JSON.stringify(document), this.results));
    await writeCharts(document, this.folder);
    await writeFile(this.path, text);
  }

  async #removeCharts(): Promise<void> {
    const charts = (await readdir(this.folder)).filter((name) => name.endsWith('.svg'));
    await Promise.all(charts.map((name) => rm(join(this.folder, name))));
  }
}

/** As `npm run format` would leave it. */
async function formatted(text: string, path: string): Promise<string> {
  const config = await resolveConfig(join(ownRoot, 'README.md'));
  return format(text, { ...config, filepath: path });
}
