/** What all charts have in common: their look, and how they become SVG. */
import { parse, View } from 'vega';
import { compile, type Config, type TopLevelSpec } from 'vega-lite';
import { colours, grid, label, text } from './palette.js';

/** A picture of a run. */
export interface Chart {
  /** Of its file, without extension. */
  readonly name: string;
  readonly title: string;
  /** What somebody who does not see it should know. */
  readonly description: string;
  readonly spec: TopLevelSpec;
}

export const errorBar = { type: 'errorbar', ticks: { size: 8 }, thickness: 1.5 } as const;

const config: Config = {
  font: 'system-ui, sans-serif',
  aria: false,
  view: { stroke: null },
  title: { color: text.light, fontSize: 14, anchor: 'start' },
  axis: {
    labelColor: label.light,
    labelFontSize: 13,
    labelLimit: 260,
    titleColor: label.light,
    titleFontSize: 13,
    titleFontWeight: 'normal',
    gridColor: grid.light,
    domainColor: grid.light,
    tickColor: grid.light,
  },
  legend: {
    labelColor: text.light,
    labelFontSize: 13,
    labelLimit: 320,
    title: null,
    orient: 'bottom',
    symbolSize: 90,
  },
  text: { fontSize: 13, color: text.light },
};

/** SVG that follows the reader's light or dark colour scheme, on any background. */
export async function drawChart({ title, description, spec }: Chart): Promise<string> {
  const heading = { text: title, fontSize: 17, offset: 16 };
  const common = { background: 'transparent', padding: 8, title: heading };
  const { spec: compiled } = compile({ ...common, ...spec }, { config });
  const view = new View(parse(compiled), { renderer: 'none' });
  try {
    return withHead(await view.toSVG(), title, description);
  } finally {
    view.finalize();
  }
}

/** Viewers that know no colour schemes show the light colours, which are in the attributes. */
function withHead(svg: string, title: string, description: string): string {
  const rules = colours.flatMap(({ light, dark }) =>
    ['fill', 'stroke'].map((property) => `[${property}="${light}"]{${property}:${dark}}`),
  );
  const head = [
    `<title>${escaped(title)}</title>`,
    `<desc>${escaped(description)}</desc>`,
    `<style>@media (prefers-color-scheme: dark){${rules.join('')}}</style>`,
  ];
  return svg.replace('>', () => ` role="img">${head.join('')}`);
}

function escaped(plain: string): string {
  return plain.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
