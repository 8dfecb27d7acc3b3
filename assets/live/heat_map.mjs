/* The painter of a heat map: a table whose cells have a colour as well as a figure. Over time its columns are steps, the
   newest at the right; else rows and columns are the values of two fields. */

import { clock, number, value as inWords, withUnit } from './format.mjs';
import { make, setData, setText } from './nodes.mjs';
import { readout } from './readout.mjs';
import { newestOf } from './windows.mjs';

export const SHADES = 8; // colours of style_painted.css, from the palest on
const FEW = 6, SOME = 14; // so many columns have room for figures, on a phone as well or on wider screens
const LINES_MAX = 60;
const collator = new Intl.Collator('en', { numeric: true });

/** The cells over time, as {xs: [{label, isOpen}], ys: [label], at(y, x), left}: the newest value of each line in each step,
    and how many lines there was no room for. */
export function overTime(series, { value, step_ms, columns, by, scale = 1 }) {
  const prefix = `${value}:`, newest = newestOf(series), last = Math.floor(newest / step_ms);
  const all = [...series].filter(([name]) => (by ? name.startsWith(prefix) : name === value))
    .map(([name, points]) => [by ? name.slice(prefix.length) : '', points]).sort(([a], [b]) => collator.compare(a, b));
  const lines = all.slice(0, LINES_MAX);
  if (!Number.isFinite(newest)) return { xs: [], ys: [], at: () => null, left: 0 };
  const cells = lines.map(([, { t, v }]) => {
    const found = new Array(columns).fill(null);
    for (let i = t.length - 1; i >= 0; i -= 1) {
      const x = columns - 1 - (last - Math.floor(t[i] / step_ms));
      if (x < 0) break;
      if (found[x] === null && v[i] !== null) found[x] = Number(v[i]) * scale;
    }
    return found;
  });
  const xs = Array.from({ length: columns }, (_, i) => ({ label: clock((last - columns + 1 + i) * step_ms), isOpen: i === columns - 1 }));
  return { xs, ys: lines.map(([name]) => name), at: (y, x) => cells[y][x], left: all.length - lines.length };
}

/** The cells by two fields of rows. */
export function byFields(rows, { value, x, y, scale = 1 }) {
  const cells = new Map(), named = [new Map(), new Map()];
  for (const [, row] of [...rows].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (row[x.field] === undefined || row[y.field] === undefined) continue;
    const [down, across] = [y, x].map((side) => inWords(row[side.field], side));
    named[0].set(down, true);
    named[1].set(across, true);
    if (row[value] !== undefined && row[value] !== null) cells.set(JSON.stringify([down, across]), Number(row[value]) * scale);
  }
  const [ys, labels] = named.map((one) => [...one.keys()].sort(collator.compare).slice(0, LINES_MAX));
  const at = (i, j) => cells.get(JSON.stringify([ys[i], labels[j]])) ?? null;
  return { xs: labels.map((label) => ({ label, isOpen: false })), ys, at, left: Math.max(0, named[0].size - LINES_MAX, named[1].size - LINES_MAX) };
}

/** The least and the greatest value of all cells; the bounds where these are declared. */
export function rangeOf({ xs, ys, at }, bounds = null) {
  if (bounds !== null) return bounds;
  const known = ys.flatMap((_, y) => xs.map((_x, x) => at(y, x))).filter((one) => one !== null);
  return known.length === 0 ? [0, 0] : [Math.min(...known), Math.max(...known)];
}

/** The shade of a value, 1 to SHADES; '' for none. */
export function shadeOf(shown, [low, high]) {
  if (shown === null) return '';
  const share = high === low ? 0 : Math.min(1, Math.max(0, (shown - low) / (high - low)));
  return String(1 + Math.min(SHADES - 1, Math.floor(share * SHADES)));
}

/** Makes `parent` have so many children, the later ones made by `one()`. */
function fit(parent, count, one) {
  while (parent.children.length > count) parent.lastChild.remove();
  while (parent.children.length < count) parent.append(one());
}

const cell = () => { const td = make('td'); td.append(make('span')); return td; };

function drawLegend() {
  const legend = make('p', { className: 'shades' });
  legend.setAttribute('aria-hidden', 'true');
  legend.append(make('span'), ...Array.from({ length: SHADES }, (_, i) => { const one = make('i'); one.dataset.shade = i + 1; return one; }), make('span'));
  return legend;
}

function fill(td, shown, range, { xs, ys, y, x, options }) {
  const figure = number(shown ?? 0, options.decimals), text = shown === null ? '—' : figure;
  const place = [ys[y], xs[x].label].filter(Boolean).join(', ');
  setData(td, 'shade', shadeOf(shown, range));
  setData(td, 'said', `${place}: ${shown === null ? 'no value' : withUnit(figure, options.unit)}${xs[x].isOpen && shown !== null ? ', this step is not over' : ''}`);
  setText(td.firstChild, text);
  td.toggleAttribute('data-open', xs[x].isOpen);
}

/** Which times of a head are seen: on any screen, or where there is room; the newest always is. */
function paintHead(head, xs, { step_ms, y }) {
  const isTimed = step_ms !== undefined, every = Math.ceil(xs.length / 6);
  fit(head, xs.length + 1, () => { const th = make('th', { scope: 'col' }); th.append(make('span')); return th; });
  setText(head.firstChild.firstChild, isTimed ? 'Time' : y.label);
  xs.forEach(({ label }, x) => {
    const th = head.children[x + 1], back = xs.length - 1 - x;
    if (th.title !== label) th.title = label;
    setText(th.firstChild, label);
    th.toggleAttribute('data-quiet', isTimed && back % every !== 0);
    th.toggleAttribute('data-rare', isTimed && back % (2 * every) !== 0);
  });
}

function paintTable({ table, head, body }, matrix, range, options) {
  const { xs, ys, at } = matrix;
  setData(table, 'size', xs.length > SOME ? 'many' : xs.length > FEW ? 'some' : 'few');
  table.toggleAttribute('data-timed', options.step_ms !== undefined);
  paintHead(head, xs, options);
  fit(body, ys.length, () => { const row = make('tr'); row.append(make('th', { scope: 'row' })); return row; });
  ys.forEach((label, y) => {
    const row = body.children[y];
    fit(row, xs.length + 1, cell);
    setText(row.firstChild, label || options.title);
    xs.forEach((_, x) => fill(row.children[x + 1], at(y, x), range, { xs, ys, y, x, options }));
  });
}

export const heatMap = {
  mount(place, { title }) {
    const frame = make('div', { className: 'heat-frame', tabIndex: 0 }), table = make('table', { className: 'heat' });
    const caption = make('caption', { className: 'visually-hidden', textContent: title }), thead = make('thead'), head = make('tr'), body = make('tbody');
    frame.setAttribute('role', 'region');
    frame.setAttribute('aria-label', `${title}: table`);
    frame.setAttribute('aria-description', 'arrow keys go from cell to cell');
    thead.append(head);
    table.append(caption, thead, body);
    frame.append(table);
    const legend = drawLegend(), foot = make('div', { className: 'heat-foot' }), more = make('p', { className: 'more' });
    const size = () => [body.children.length, Math.max(0, head.children.length - 1)];
    const { line, again } = readout(frame, { nodeAt: ({ y, x }) => body.children[y]?.children[x + 1], size });
    foot.append(line, more, legend);
    place.append(frame, foot);
    return { table, head, body, more, legend, again };
  },

  paint(own, { spec: { options, title }, state }) {
    const matrix = state.series ? overTime(state.series, options) : byFields(state.rows, options), range = rangeOf(matrix, options.bounds);
    paintTable(own, matrix, range, { ...options, title });
    setText(own.more, matrix.left > 0 ? `and ${number(matrix.left, 0)} more, which have no room here` : '');
    own.legend.toggleAttribute('hidden', matrix.xs.length === 0);
    const [low, high] = range.map((one) => withUnit(number(one, options.decimals), options.unit));
    setText(own.legend.firstChild, low);
    setText(own.legend.lastChild, high);
    own.again();
  },
};
