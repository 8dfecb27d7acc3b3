/* Lines between two drawings: new points go straight into the paths that Plotly drew, on the axes that it drew. A
   drawing costs 20 ms of the thread, this one of them. What does not fit on those axes asks for a drawing. */

import { number, withUnit } from './format.mjs';

export const ROOM = 0.03; // to the right of the newest point, so that not each new one asks for a drawing
export const ROOM_MIN_MS = 3_000;
const ROOM_Y = 0.06; // above and below, beside what Plotly leaves there
const ALONE_MS = 10_000; // to both sides of a moment that has no other: its axis would show parts of a second
const RIM_PX = 0.5;

/** A trace that shows nothing, and keeps room to the right of the newest point on an axis that finds its own range; from
    `since` on, where the axis begins before the first point. */
export function room(traces, since = null) {
  const times = traces.flatMap(({ x }) => (x.length ? [x[0], x[x.length - 1]] : []));
  const from = Math.min(...times), until = Math.max(...times);
  if (from === until) return unseen([from - ALONE_MS, until + ALONE_MS]);
  const width = Math.min(Math.max(ROOM * (until - from), ROOM_MIN_MS), 0.2 * (until - from));
  return unseen(times.length ? [...(since === null ? [] : [since]), until + width] : []);
}

const unseen = (x) => ({ type: 'scatter', mode: 'lines', x, y: x.map(() => null), hoverinfo: 'skip', showlegend: false });

/** What an axis of values shows beside the lines, so that the next points fit on it: room below the least and above the
    greatest value; values that are never negative have none below 0. */
export function headroom(traces) {
  let low = Infinity, high = -Infinity;
  for (const { y, visible } of traces) {
    if (visible === 'legendonly') continue;
    for (const one of y ?? []) if (one !== null) { low = Math.min(low, one); high = Math.max(high, one); }
  }
  const spare = ROOM_Y * (high - low);
  return low < high ? [low >= 0 ? Math.max(0, low - spare) : low - spare, high + spare] : [];
}

const OUTSIDE_MAX = 3;

/** The lines whose newest value lies beyond the declared bounds, in words: {above, below}, of at most so many `letters`. */
export function outside(traces, { bounds = null, unit = '', decimals = 1 }, letters = Infinity) {
  const found = { above: [], below: [] };
  for (const { name, y, visible } of bounds === null ? [] : traces) {
    const last = name && visible !== 'legendonly' ? y.findLast((one) => one !== null) : undefined;
    if (last === undefined || (last >= bounds[0] && last <= bounds[1])) continue;
    found[last > bounds[1] ? 'above' : 'below'].push(`${name} ${withUnit(number(last, decimals), unit)}`);
  }
  return { above: fitting(found.above, letters), below: fitting(found.below, letters) };
}

/** As many of the lines as there is room for, and how many more; their number alone where there is room for none. */
function fitting(lines, letters) {
  for (let shown = Math.min(OUTSIDE_MAX, lines.length); shown > 0; shown -= 1) {
    const words = [...lines.slice(0, shown), ...(shown < lines.length ? [`${lines.length - shown} more`] : [])];
    if (words.join(', ').length <= letters) return words;
  }
  return lines.length === 0 ? [] : [`${lines.length} ${lines.length === 1 ? 'line' : 'lines'}`];
}

/** The path of a line, null where a point that has to be seen is outside; `axes` {x, y}: Plotly's own. */
export function pathOf({ x, y }, axes) {
  let path = '', isOpen = false;
  for (let i = 0; i < x.length; i += 1) {
    if (y[i] === null) { isOpen = false; continue; }
    const point = place(x[i], y[i], axes);
    if (point === null) return null;
    path += `${isOpen ? 'L' : 'M'}${point}`;
    isOpen = true;
  }
  return path;
}

/** Where a point is in pixels, as a text; null where the axis would have to change to show it. */
function place(x, y, axes) {
  const right = axes.x.c2p(x), down = axes.y.c2p(y);
  if (axes.x.autorange && right > axes.x._length + RIM_PX) return null;
  if (axes.y.autorange && !(down >= -RIM_PX && down <= axes.y._length + RIM_PX)) return null;
  return `${Math.round(right * 10) / 10},${Math.round(down * 10) / 10}`;
}

/** Writes traces into what Plotly has drawn of them; false where they do not fit, with nothing written. */
export function rewrite(graph, traces) {
  const axes = { x: graph._fullLayout.xaxis, y: graph._fullLayout.yaxis }, writes = [];
  for (const [i, trace] of traces.entries()) {
    const full = graph._fullData[i];
    if (full?.mode !== trace.mode) return false;
    if (full.visible !== true) continue; // switched off in the legend
    const group = graph.querySelector(`.scatterlayer > .trace${full.uid}`);
    const found = trace.mode === 'lines' ? lineWrites(group, trace, axes) : pointWrites(group, trace, axes);
    if (found === null) return false;
    writes.push(...found);
  }
  for (const [node, name, text] of writes) node.setAttribute(name, text);
  // whatever Plotly does by itself next, a picture for instance, starts from these
  traces.forEach(({ x, y, text }, i) => Object.assign(graph.data[i], text ? { x, y, text } : { x, y }));
  return true;
}

/** Plotly draws a path for each stretch between gaps; the first one takes them all. */
function lineWrites(group, trace, axes) {
  const paths = group?.querySelectorAll('.lines > .js-line') ?? [], path = pathOf(trace, axes);
  if (path === null || (paths.length === 0 && path !== '')) return null;
  return [...paths].map((node, i) => [node, 'd', i === 0 && path !== '' ? path : 'M0,0']);
}

function pointWrites(group, { x, y }, axes) {
  const nodes = group?.querySelectorAll('.points > .point') ?? [];
  if (nodes.length !== x.length) return null;
  const places = x.map((at, i) => place(at, y[i], axes));
  return places.includes(null) ? null : places.map((at, i) => [nodes[i], 'transform', `translate(${at})`]);
}
