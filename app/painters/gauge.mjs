/* Gauge: one value as an arc between two bounds. A painter of the demo's own, as docs/extending.md shows it. */

import { number, withUnit } from '../format.mjs';
import { make, setText } from '../nodes.mjs';

const SVG = 'http://www.w3.org/2000/svg';

function arc(className) {
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('class', className);
  path.setAttribute('d', 'M10 60 A50 50 0 0 1 110 60');
  path.setAttribute('pathLength', '100');
  return path;
}

headwater.painter('gauge', {
  mount(place) {
    const svg = document.createElementNS(SVG, 'svg'), value = arc('gauge-value'), words = make('p', { className: 'gauge-words' });
    svg.setAttribute('viewBox', '0 0 120 68');
    svg.setAttribute('aria-hidden', 'true');
    svg.append(arc('gauge-ground'), value);
    place.append(svg, words);
    return { value, words };
  },

  paint({ value, words }, { spec: { fields: [column], options: { key, bounds: [low, high] } }, state, changed }) {
    if (changed !== true && !changed.has(key)) return;
    const shown = state.rows.get(key)?.[column.field] ?? null;
    const share = shown === null ? 0 : Math.min(1, Math.max(0, (shown - low) / (high - low)));
    value.setAttribute('stroke-dasharray', `${100 * share} 200`);
    setText(words, shown === null ? '—' : withUnit(number(shown, column.decimals), column.unit));
  },
});
