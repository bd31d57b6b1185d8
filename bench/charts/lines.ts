import { series } from './palette.js';

const shapes = ['circle', 'square', 'diamond', 'triangle-up', 'cross', 'triangle-down'];

/** Vega's language. */
const wrapped = `length(datum.label) > 28 ? split(datum.label, ', ') : datum.label`;

/**
 * The encoding of lines that differ in colour and in the shape of their points. Those of a family
 * have its colour.
 *
 * @param names of all lines; the same ones give a line the same look in every panel
 * @param shown those of this panel
 */
export function lines(
  field: string,
  names: readonly string[],
  shown: readonly string[],
  familyOf: (name: string) => string = (name) => name,
) {
  const families = [...new Set(names.map(familyOf))];
  const looks = names.map((name, index) => {
    const family = families.indexOf(familyOf(name));
    const before = names.slice(0, index).filter((one) => familyOf(one) === familyOf(name)).length;
    return { colour: nth(series, family).light, shape: nth(shapes, family + before) };
  });
  const domain = [...names];
  const legend = { columns: 1, values: [...shown], labelExpr: wrapped };
  const common = { field, type: 'nominal' as const, legend };
  return {
    color: { ...common, scale: { domain, range: looks.map(({ colour }) => colour) } },
    shape: { ...common, scale: { domain, range: looks.map(({ shape }) => shape) } },
  };
}

function nth<T>(list: readonly T[], index: number): T {
  return list[index % list.length]!;
}
