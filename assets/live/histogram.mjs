/* The painter of a histogram: how many values lie in each range, as a list of columns. Ranges of a round width hold still:
   they change only when a value lies outside of them, or most of them are empty. */

import { number, withUnit } from './format.mjs';
import { make, setData, setText } from './nodes.mjs';
import { readout } from './readout.mjs';

const ROUND = [1, 2, 2.5, 5, 10];

/** The values of a state that have one, in the unit that is shown. */
export function valuesOf({ rows, entries, series }, { value, scale = 1 }) {
  const raw = series ? [...series].filter(([name]) => name === value || name.startsWith(`${value}:`)).flatMap(([, { v }]) => v)
    : [...(rows?.values() ?? entries)].map((one) => one[value]);
  return raw.filter((one) => typeof one === 'number' || typeof one === 'boolean').map((one) => Number(one) * scale);
}

/** The least round width of which at most `bins` hold everything from low to high. */
export function roundWidth(low, high, bins) {
  const least = Math.max((high - low) / bins, Number.EPSILON * Math.max(1, Math.abs(high)));
  const power = 10 ** Math.floor(Math.log10(least)), fits = (width) => Math.ceil(high / width + 1e-9) - Math.floor(low / width) <= bins;
  return [...ROUND.map((one) => one * power), 20 * power].find((width) => width >= least && fits(width)) ?? 25 * power;
}

/** The ranges {from, width, count} for these values: those of `former` where they still fit. */
export function rangesFor(values, { bins, bounds = null }, former = null) {
  if (bounds !== null) return { from: bounds[0], width: (bounds[1] - bounds[0]) / bins, count: bins };
  if (values.length === 0) return former ?? { from: 0, width: 1, count: 1 };
  let low = Infinity, high = -Infinity;
  for (const one of values) { if (one < low) low = one; if (one > high) high = one; }
  if (former !== null) {
    const until = former.from + former.width * former.count, used = (high - low) / (until - former.from);
    if (low >= former.from && high < until && (used > 0.4 || former.count === 1)) return former;
  }
  if (high === low) high = low + (Number.isInteger(low) ? 1 : Math.abs(low) || 1);
  const width = roundWidth(low, high, bins), from = Math.floor(low / width) * width;
  return { from, width, count: Math.max(1, Math.floor((high - from) / width + 1e-9) + 1) };
}

/** How many values lie in each range; what lies outside is counted in the first or the last. */
export function countsOf(values, { from, width, count }) {
  const counts = new Array(count).fill(0);
  for (const one of values) counts[Math.min(count - 1, Math.max(0, Math.floor((one - from) / width + 1e-9)))] += 1;
  return counts;
}

/** The middle value; null where there is none. */
export function medianOf(values) {
  const sorted = Float64Array.from(values).sort(), half = sorted.length >> 1;
  if (sorted.length === 0) return null;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/** How many decimals a width needs. */
const places = (width) => [0, 1, 2, 3, 4, 5].find((most) => Number.isInteger(Number((width * 10 ** most).toFixed(6)))) ?? 6;

/** A range in words: with bounds its ends are open. */
export function rangeInWords(i, { from, width, count }, { unit, bounds }) {
  const figure = (at) => number(at, places(width)), low = figure(from + i * width), high = withUnit(figure(from + (i + 1) * width), unit);
  if (bounds && i === 0) return `under ${high}`;
  return bounds && i === count - 1 ? `${withUnit(low, unit)} or more` : `${low} to under ${high}`;
}

const counted = (count, noun) => `${number(count, 0)} ${count === 1 ? singular(noun) : noun}`;
const singular = (noun) => (noun === 'entries' ? 'entry' : noun.replace(/s$/, ''));

function fill(item, i, count, { ranges, most, options }) {
  const said = `${rangeInWords(i, ranges, options)}: ${counted(count, options.noun)}`, height = `${most === 0 ? 0 : ((100 * count) / most).toFixed(2)}%`;
  setData(item, 'said', said);
  setText(item.firstChild, said);
  const { style } = item.lastChild;
  if (style.height !== height) style.height = height;
}

function drawBin() {
  const item = make('li', { className: 'bin' });
  item.append(make('span', { className: 'visually-hidden' }), make('span', { className: 'bin-fill' }));
  item.lastChild.setAttribute('aria-hidden', 'true');
  return item;
}

export const histogram = {
  mount(place, { title }) {
    const frame = make('div', { className: 'bins-frame', tabIndex: 0 }), list = make('ol', { className: 'bins' }), axis = make('div', { className: 'bins-axis' });
    frame.setAttribute('role', 'group');
    frame.setAttribute('aria-label', `${title}: plot`);
    frame.setAttribute('aria-description', 'left and right arrows go from range to range');
    axis.setAttribute('aria-hidden', 'true');
    axis.append(make('span'), make('span'), make('span'));
    frame.append(list, axis);
    const own = { list, axis, ranges: null, rest: '' };
    const { line, again } = readout(frame, { nodeAt: ({ x }) => list.children[x], size: () => [1, list.children.length], rest: () => own.rest });
    const summary = make('p', { className: 'visually-hidden' });
    place.append(frame, line, summary);
    return Object.assign(own, { again, summary });
  },

  paint(own, { spec: { options }, state }) {
    const { list, axis } = own, values = valuesOf(state, options), ranges = rangesFor(values, options, own.ranges), counts = countsOf(values, ranges);
    own.ranges = ranges;
    while (list.children.length > ranges.count) list.lastChild.remove();
    while (list.children.length < ranges.count) list.append(drawBin());
    const most = Math.max(0, ...counts), half = ranges.from + (ranges.width * ranges.count) / 2;
    counts.forEach((count, i) => fill(list.children[i], i, count, { ranges, most, options }));
    const figure = (at) => withUnit(number(at, places(ranges.width)), options.unit), median = medianOf(values);
    [ranges.from, half, ranges.from + ranges.width * ranges.count].forEach((at, i) => setText(axis.children[i], figure(at)));
    own.rest = `${counted(values.length, options.noun)}${median === null ? '' : ` · median ${withUnit(number(median, options.decimals), options.unit)}`} · most in a range ${number(most, 0)}`;
    setText(own.summary, own.rest);
    own.again();
  },
};
