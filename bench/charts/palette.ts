/**
 * Colours for light and for dark schemes. Each stands out from the background of its scheme, and
 * neighbours in `series` differ for colour-blind readers too. The light ones are distinct, for
 * the dark scheme is found by them.
 */
export interface Colour {
  readonly light: string;
  readonly dark: string;
}

export const text: Colour = { light: '#1f2328', dark: '#e6edf3' };
export const label: Colour = { light: '#59636e', dark: '#9198a1' };
export const grid: Colour = { light: '#d1d9e0', dark: '#30363d' };
export const own: Colour = { light: '#0969da', dark: '#4493f8' };
export const others: Colour = { light: '#818b98', dark: '#656c76' };

/** Of lines, in the order in which they are given out. */
export const series: readonly Colour[] = [
  own,
  { light: '#bc4c00', dark: '#f0883e' },
  { light: '#007a5e', dark: '#2dc79a' },
  { light: '#a0408f', dark: '#e08fd0' },
  { light: '#8a6100', dark: '#e3b341' },
  { light: '#0a3069', dark: '#a5d6ff' },
  { light: '#6e4a3a', dark: '#d0a58f' },
  { light: '#57606a', dark: '#c9d1d9' },
];

export const colours: readonly Colour[] = [text, label, grid, others, ...series];
