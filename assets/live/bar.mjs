/* The painter of bars: the greatest rows by one number, each with its name, its length and its figure. Bars stay where they
   are and take other rows, so that nothing moves but their lengths. */

import { number, withUnit } from './format.mjs';
import { make, setData, setText } from './nodes.mjs';
import { levelOf } from './tile.mjs';

/** What a row is called. */
export const nameOf = (row, key, label) => label.map((field) => row[field]).filter((one) => one !== undefined && one !== null).join(' · ') || key;

/** The bars to draw, as {key, name, shown, from, to}, and how many rows have none; `from` and `to` are shares of the width. */
export function barsOf(rows, { value, label, top, ascending = false, scale = 1, bounds = null }) {
  const all = [...rows].flatMap(([key, row]) => (typeof row[value] === 'number' || typeof row[value] === 'boolean'
    ? [{ key, name: nameOf(row, key, label), shown: Number(row[value]) * scale }] : []));
  const sign = ascending ? 1 : -1;
  all.sort((a, b) => sign * (a.shown - b.shown) || (a.key < b.key ? -1 : 1));
  const chosen = all.slice(0, top), shown = chosen.map((one) => one.shown);
  const [low, high] = bounds ?? [Math.min(0, ...shown), Math.max(0, ...shown)], zero = Math.min(Math.max(0, low), high);
  const share = (at) => (high === low ? 0 : Math.min(1, Math.max(0, (at - low) / (high - low))));
  const bars = chosen.map((one) => ({ ...one, from: share(Math.min(zero, one.shown)), to: share(Math.max(zero, one.shown)) }));
  return { bars, more: all.length - chosen.length };
}

const percent = (share) => `${(100 * share).toFixed(2)}%`;

function drawBar() {
  const item = make('li', { className: 'bar' }), track = make('span', { className: 'bar-track' });
  track.setAttribute('aria-hidden', 'true');
  track.append(make('span', { className: 'bar-fill' }));
  item.append(make('span', { className: 'bar-name' }), ' ', track, make('span', { className: 'bar-value' }));
  return item;
}

function fill(item, { name, shown, from, to }, { decimals, unit, thresholds, direction }) {
  const [named, track, figure] = item.children, { style } = track.firstChild;
  if (named.title !== name) named.title = name;
  setText(named, name);
  setText(figure, withUnit(number(shown, decimals), unit));
  setData(item, 'level', levelOf(shown, thresholds, direction));
  if (style.left !== percent(from)) style.left = percent(from);
  if (style.width !== percent(to - from)) style.width = percent(to - from);
}

export const bar = {
  mount(place) {
    const list = make('ol', { className: 'bars' }), more = make('p', { className: 'more' });
    place.append(list, more);
    return { list, more };
  },

  paint({ list, more }, { spec: { options }, state }) {
    const found = barsOf(state.rows, options);
    while (list.children.length > found.bars.length) list.lastChild.remove();
    while (list.children.length < found.bars.length) list.append(drawBar());
    found.bars.forEach((one, i) => fill(list.children[i], one, options));
    setText(more, found.more > 0 ? `and ${number(found.more, 0)} more` : '');
  },

  rows({ fields, options }, { rows }) {
    const names = fields.map(({ field }) => field), { bars } = barsOf(rows, options);
    return { columns: ['key', ...names, 'created_at'], rows: bars.map(({ key }) => ({ key, ...rows.get(key) })) };
  },
};
