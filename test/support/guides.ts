/** What the README and the guides contain. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import MarkdownIt from 'markdown-it';
import ts from 'typescript';

export const root = fileURLToPath(new URL('../../../', import.meta.url));

const markdown = new MarkdownIt();
const languages = ['ts', 'typescript', 'mts', 'js', 'javascript', 'mjs'];

export interface Heading {
  readonly level: number;
  readonly text: string;
}

/** A block of code that must compile. */
export interface CodeBlock {
  readonly file: string;
  /** Of its first line in the file. */
  readonly line: number;
  readonly code: string;
  /** Its info string says `type-only`: it is not run. */
  readonly isTypeOnly: boolean;
  /** What it prints: the `text` block that follows it, or the comments behind its `console.log`s. */
  readonly output: string;
}

/** Paths, from the package's folder. */
export function pages(): string[] {
  const guides = readdirSync(`${root}docs`).filter((name) => name.endsWith('.md'));
  return ['README.md', ...guides.map((name) => `docs/${name}`)];
}

export function codeBlocksOf(file: string): CodeBlock[] {
  const tokens = tokensOf(file);
  return tokens.flatMap((token, index): CodeBlock[] => {
    const [language = '', ...words] = token.info.split(/\s+/);
    if (token.type !== 'fence' || !languages.includes(language)) return [];
    const { content: code, map } = token;
    const next = tokens[index + 1];
    const output = next?.info === 'text' ? next.content : printedBy(code, file);
    const isTypeOnly = words.includes('type-only');
    return [{ file, line: map![0] + 2, code, isTypeOnly, output }];
  });
}

export function headingsOf(file: string): Heading[] {
  const tokens = tokensOf(file);
  return tokens.flatMap((token, index) =>
    token.type === 'heading_open'
      ? [{ level: Number(token.tag.slice(1)), text: plainText(tokens[index + 1]!) }]
      : [],
  );
}

/** Targets of the links and pictures. */
export function linksOf(file: string): string[] {
  return tokensOf(file)
    .flatMap(({ children }) => children ?? [])
    .map((token) => token.attrGet('href') ?? token.attrGet('src'))
    .filter((target) => target !== null);
}

function tokensOf(file: string) {
  return markdown.parse(readFileSync(root + file, 'utf8'), {});
}

function plainText({ children }: { readonly children: { readonly content: string }[] | null }) {
  return (children ?? []).map(({ content }) => content).join('');
}

/** The comments behind the calls of `console.log`, a line each, in the order of the code. */
function printedBy(code: string, file: string): string {
  const source = ts.createSourceFile(file, code, ts.ScriptTarget.Latest, true);
  const lines: string[] = [];
  const visit = (node: ts.Node): void => {
    if (isPrinting(node)) lines.push(`${commentBehind(node, code, file)}\n`);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return lines.join('');
}

function isPrinting(node: ts.Node): node is ts.CallExpression {
  return ts.isCallExpression(node) && node.expression.getText() === 'console.log';
}

function commentBehind(call: ts.CallExpression, code: string, file: string): string {
  const [comment] = ts.getTrailingCommentRanges(code, call.parent.end) ?? [];
  if (comment !== undefined) return code.slice(comment.pos, comment.end).replace(/^\/\/ /, '');
  throw new Error(
    `${file}: say what ${call.getText()} prints, in a comment behind it or in a text block`,
  );
}
