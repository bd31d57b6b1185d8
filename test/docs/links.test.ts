/** The links of the README and the guides lead somewhere. */
import { existsSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import test from 'ava';
import { headingsOf, linksOf, pages, root } from '../support/guides.js';

/** As the usual renderers make it of a heading. */
function anchorOf(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');
}

function isBroken(page: string, link: string): boolean {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? page : relative(root, join(root, dirname(page), path));
  if (!existsSync(join(root, target))) return true;
  return anchor !== undefined && !headingsOf(target).some(({ text }) => anchorOf(text) === anchor);
}

for (const page of pages()) {
  test(`the links lead somewhere: ${page}`, (t) => {
    const links = linksOf(page).filter((link) => !/^https?:/.test(link));
    t.deepEqual(
      links.filter((link) => isBroken(page, link)),
      [],
    );
  });
}

test('the index has a link to every guide', (t) => {
  const links = linksOf('docs/README.md').map((link) => `docs/${link}`);
  const guides = pages().filter((page) => !page.endsWith('README.md'));
  t.deepEqual(
    guides.filter((guide) => !links.includes(guide)),
    [],
  );
});
