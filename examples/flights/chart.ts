/** The findings as an SVG picture that follows the reader's light or dark colour scheme. */
import { parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import type { GroupDelays, Summary } from './analysis.js';
import { bandLabel, binLabel, dayLabel, hourLabel } from './report.js';

/**
 * Colours by use, for light and for dark schemes. All are distinct, for `withDarkScheme` tells them
 * apart by value.
 */
const colours = {
  background: { light: '#ffffff', dark: '#0d1117' },
  text: { light: '#1f2328', dark: '#e6edf3' },
  label: { light: '#59636e', dark: '#9198a1' },
  grid: { light: '#d1d9e0', dark: '#30363d' },
  mean: { light: '#0969da', dark: '#4493f8' },
  p95: { light: '#bc4c00', dark: '#db6d28' },
  flights: { light: '#1a7f37', dark: '#3fb950' },
};

const utc = { scale: { type: 'utc' as const } };
const PANEL = { width: 420, height: 180 };

export async function drawChart(summary: Summary): Promise<string> {
  const { spec } = compile(specOf(summary));
  const view = new View(parse(spec), { renderer: 'none' });
  try {
    return withDarkScheme(await view.toSVG());
  } finally {
    view.finalize();
  }
}

function specOf({ all, hours, days, distances, histogram }: Summary): TopLevelSpec {
  return {
    title: {
      text: `Minutes late on arrival, ${all.flights.toLocaleString('en-US')} flights`,
      anchor: 'start',
      offset: 16,
    },
    background: colours.background.light,
    padding: 16,
    columns: 2,
    concat: [
      delayPanel('by hour of departure', hours, hourLabel, 'ordinal'),
      delayPanel('by day of departure', days, dayLabel, 'temporal'),
      delayPanel('by distance in miles', distances, bandLabel, 'ordinal'),
      {
        ...PANEL,
        title: 'flights by minutes late',
        data: { values: histogram.map((bin) => ({ bin: binLabel(bin), flights: bin.flights })) },
        mark: { type: 'bar', color: colours.flights.light },
        encoding: {
          x: { field: 'bin', type: 'ordinal', sort: null, title: null },
          y: { field: 'flights', type: 'quantitative', title: null, axis: { format: '~s' } },
        },
      },
    ],
    config: {
      font: 'system-ui, sans-serif',
      view: { stroke: null },
      title: { color: colours.text.light, anchor: 'start' },
      axis: {
        labelColor: colours.label.light,
        titleColor: colours.label.light,
        gridColor: colours.grid.light,
        domainColor: colours.grid.light,
        tickColor: colours.grid.light,
      },
      legend: { labelColor: colours.label.light, orient: 'top', title: null },
    },
  };
}

function delayPanel(
  title: string,
  groups: readonly GroupDelays[],
  label: (group: number) => string,
  type: 'ordinal' | 'temporal',
) {
  const values = groups.flatMap(({ group, mean, p95 }) => [
    { group: label(group), measure: '95th percentile', delay: p95 },
    { group: label(group), measure: 'mean', delay: mean },
  ]);
  return {
    ...PANEL,
    title,
    data: { values },
    mark: { type: 'line' as const, point: type === 'ordinal' },
    encoding: {
      x: { field: 'group', type, sort: null, title: null, ...(type === 'temporal' && utc) },
      y: { field: 'delay', type: 'quantitative' as const, title: null },
      color: {
        field: 'measure',
        type: 'nominal' as const,
        scale: {
          domain: ['95th percentile', 'mean'],
          range: [colours.p95.light, colours.mean.light],
        },
      },
    },
  };
}

/**
 * Viewers that know no colour schemes ignore the style and show the light colours of the
 * attributes.
 */
function withDarkScheme(svg: string): string {
  const rules = Object.values(colours).flatMap(({ light, dark }) =>
    ['fill', 'stroke'].map((property) => `[${property}="${light}"]{${property}:${dark}}`),
  );
  const style = `<style>@media (prefers-color-scheme: dark){${rules.join('')}}</style>`;
  return svg.replace('>', () => `>${style}`);
}
