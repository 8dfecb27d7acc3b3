/* The painter of a tile: value, level, change and sparkline, straight into nodes that React has no children in. */

import { NOTHING, clock, duration, number, value as inWords } from './format.mjs';
import { setData, setText } from './nodes.mjs';
import { thinned, withGaps, within } from './points.mjs';
import { complete, openFrom, restatedInWords } from './windows.mjs';

const SVG = 'http://www.w3.org/2000/svg';
export const TREND_WIDTH = 100;
export const TREND_HEIGHT = 24;
const TREND_POINTS = 120; // more cannot be told apart on a tile
const drawnAt = new WeakMap(); // section → position of the trend that it shows

/** The level of a shown value: the one of the last threshold that it has reached. */
export function levelOf(shown, thresholds = [], direction = 'above') {
  if (typeof shown !== 'number') return 'none';
  const reached = thresholds.filter(({ at }) => (direction === 'above' ? shown >= at : shown < at));
  if (reached.length === 0) return 'ok';
  return reached.some(({ level }) => level === 'bad') ? 'bad' : reached[0].level;
}

/** The change over a trend: {direction, text}, or null where there are not two values. */
export function changeOf({ t, v }, { scale = 1, decimals = null, unit = '' }) {
  const first = v.findIndex((one) => one !== null), last = v.findLastIndex((one) => one !== null);
  if (first === -1 || first === last) return null;
  const by = (v[last] - v[first]) * scale, text = number(Math.abs(by), decimals);
  const isFlat = Number(text.replaceAll(',', '')) === 0;
  const sign = isFlat ? '±' : by > 0 ? '+' : '−';
  const direction = isFlat ? 'flat' : by > 0 ? 'up' : 'down';
  return { direction, text: `${sign}${text}${unit === '%' ? ' points' : ''} in ${duration(t[last] - t[first])}` };
}

/** A line through the points in a box of TREND_WIDTH × TREND_HEIGHT; null is a gap. */
export const trendPath = (points) => trendPaths(points).closed;

/** The same in two: of closed windows, and from the last of them to the point of the one that is open. */
export function trendPaths({ t, v }, openAt = Infinity) {
  const known = v.filter((one) => one !== null);
  if (known.length < 2) return { closed: '', open: '' };
  const low = Math.min(...known), high = Math.max(...known), span = t[t.length - 1] - t[0] || 1;
  const x = (at) => (((at - t[0]) / span) * TREND_WIDTH).toFixed(1);
  const y = (one) => (high === low ? TREND_HEIGHT / 2 : TREND_HEIGHT - 1 - ((one - low) / (high - low)) * (TREND_HEIGHT - 2)).toFixed(1);
  let closed = '', last = null; // the point before, where no gap lies between
  let open = '';
  v.forEach((one, i) => {
    const point = one === null ? null : `${x(t[i])} ${y(one)}`;
    if (point !== null && t[i] < openAt) closed += `${last === null ? 'M' : 'L'}${point}`;
    if (point !== null && t[i] >= openAt && last !== null) open += `M${last}L${point}`;
    last = point;
  });
  return { closed, open };
}

/** What a tile says of the window that its value is of: since when it counts where that is a single one, which is open,
    and that late events have changed it after it had been shown as closed. */
export function soFar(row, { window_ms, windows }) {
  const since = window_ms && windows === 1 && row?.window_start ? `so far, since ${clock(row.window_start)}` : '';
  return [since, window_ms && row?.restated ? `↺ ${restatedInWords(row.restated)}` : ''].filter(Boolean).join(' · ');
}

/** Why there is a dash: no such row yet, or a row without the value. */
export const whyNothing = (row, { missing = '' }) => (row === undefined ? 'no events' : missing);

/** Paints a tile's section from the store; false where its nodes are not there yet. */
export function paintTile(section, spec, store) {
  const node = section.querySelector('[data-value]');
  if (node === null) return false;
  const state = store.get(spec.channel)?.state, row = state?.rows?.get(spec.key), raw = row?.[spec.field];
  const shown = typeof raw === 'number' ? raw * (spec.scale ?? 1) : raw;
  const text = inWords(shown, spec);
  setText(node, text);
  setText(section.querySelector('[data-unit]'), text === NOTHING ? '' : (spec.unit ?? ''));
  setData(section, 'level', levelOf(shown, spec.thresholds, spec.direction));
  section.toggleAttribute('data-empty', text === NOTHING);
  setText(section.querySelector('[data-window]'), text === NOTHING && state ? whyNothing(row, spec) : soFar(row, spec));
  if (spec.trend) paintTrend(section, spec, store);
  else if (drawnAt.delete(section)) clearTrend(section);
  return true;
}

/** What is shown now has no trend. */
function clearTrend(section) {
  setText(section.querySelector('[data-change]'), '');
  section.querySelector('[data-trend]')?.replaceChildren();
}

/** The trend is drawn anew only when its own channel moved: most changes are the value's. */
function paintTrend(section, spec, store) {
  const channel = store.get(spec.trend.channel);
  if (drawnAt.has(section) && drawnAt.get(section) === channel?.position) return;
  drawnAt.set(section, channel?.position);
  const series = channel?.state?.series, points = within(series?.get(spec.trend.series), spec.trend.span_ms);
  const openAt = openFrom(series, spec.trend), change = changeOf(complete(points, openAt, spec.trend), spec), node = section.querySelector('[data-change]');
  setText(node, change?.text ?? '');
  setData(node, 'direction', change?.direction ?? 'flat');
  const wrapper = section.querySelector('[data-trend]');
  if (wrapper === null) return;
  const { closed, open } = trendPaths(thinned(withGaps(points, spec.trend.gap_ms), TREND_POINTS), openAt);
  const [line, dashes] = wrapper.querySelector('path') ? wrapper.querySelectorAll('path') : drawTrend(wrapper);
  line.setAttribute('d', closed);
  dashes.setAttribute('d', open);
}

export function drawTrend(wrapper) {
  const svg = document.createElementNS(SVG, 'svg'), paths = ['', 'open'].map((name) => drawPath(name));
  svg.setAttribute('viewBox', `0 0 ${TREND_WIDTH} ${TREND_HEIGHT}`);
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.append(...paths);
  wrapper.replaceChildren(svg);
  return paths;
}

function drawPath(name) {
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('class', name);
  path.setAttribute('fill', 'none');
  path.setAttribute('vector-effect', 'non-scaling-stroke');
  return path;
}
