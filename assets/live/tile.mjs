/* The painter of a tile: value, level, change and sparkline, straight into nodes that React has no children in. */

import { NOTHING, duration, number, value as inWords } from './format.mjs';
import { thinned, withGaps, within } from './points.mjs';

const SVG = 'http://www.w3.org/2000/svg';
export const TREND_WIDTH = 100, TREND_HEIGHT = 24;
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
export function trendPath({ t, v }) {
  const known = v.filter((one) => one !== null);
  if (known.length < 2) return '';
  const low = Math.min(...known), high = Math.max(...known), span = t[t.length - 1] - t[0] || 1;
  const x = (at) => (((at - t[0]) / span) * TREND_WIDTH).toFixed(1);
  const y = (one) => (high === low ? TREND_HEIGHT / 2 : TREND_HEIGHT - 1 - ((one - low) / (high - low)) * (TREND_HEIGHT - 2)).toFixed(1);
  let path = '', isOpen = false;
  v.forEach((one, i) => {
    if (one !== null) path += `${isOpen ? 'L' : 'M'}${x(t[i])} ${y(one)}`;
    isOpen = one !== null;
  });
  return path;
}

function setText(node, text) {
  if (node && node.textContent !== text) node.textContent = text;
}

function setData(node, name, text) {
  if (node && node.dataset[name] !== text) node.dataset[name] = text;
}

/** Paints a tile's section from the store; false where its nodes are not there yet. */
export function paintTile(section, spec, store) {
  const node = section.querySelector('[data-value]');
  if (node === null) return false;
  const raw = store.get(spec.channel)?.state?.rows?.get(spec.key)?.[spec.field];
  const shown = typeof raw === 'number' ? raw * (spec.scale ?? 1) : raw;
  const text = inWords(shown, spec);
  setText(node, text);
  setText(section.querySelector('[data-unit]'), text === NOTHING ? '' : (spec.unit ?? ''));
  setData(section, 'level', levelOf(shown, spec.thresholds, spec.direction));
  section.toggleAttribute('data-empty', text === NOTHING);
  if (spec.trend) paintTrend(section, spec, store);
  return true;
}

/** The trend is drawn anew only when its own channel moved: most changes are the value's. */
function paintTrend(section, spec, store) {
  const channel = store.get(spec.trend.channel);
  if (drawnAt.has(section) && drawnAt.get(section) === channel?.position) return;
  drawnAt.set(section, channel?.position);
  const points = within(channel?.state?.series?.get(spec.trend.series), spec.trend.span_ms);
  const change = changeOf(points, spec), node = section.querySelector('[data-change]');
  setText(node, change?.text ?? '');
  setData(node, 'direction', change?.direction ?? 'flat');
  const wrapper = section.querySelector('[data-trend]');
  if (wrapper === null) return;
  const path = wrapper.querySelector('path') ?? drawTrend(wrapper);
  path.setAttribute('d', trendPath(thinned(withGaps(points, spec.trend.gap_ms), TREND_POINTS)));
}

function drawTrend(wrapper) {
  const svg = document.createElementNS(SVG, 'svg'), path = document.createElementNS(SVG, 'path');
  svg.setAttribute('viewBox', `0 0 ${TREND_WIDTH} ${TREND_HEIGHT}`);
  svg.setAttribute('preserveAspectRatio', 'none');
  path.setAttribute('fill', 'none');
  path.setAttribute('vector-effect', 'non-scaling-stroke');
  svg.append(path);
  wrapper.replaceChildren(svg);
  return path;
}
