/* The painter of a chart: one trace for each series, drawn by Plotly from whole arrays. Zoom holds, because the
   graph's own layout is given back to it. */

import { day, escapeHtml } from './format.mjs';
import { markNotes, markShapes, marksOf } from './incidents.mjs';
import { keepInStep } from './instep.mjs';
import { headroom, outside, rewrite, room } from './lines.mjs';
import { withGaps, within } from './points.mjs';
import { viewOf } from './view.mjs';
import { openFrom, restatedInWords } from './windows.mjs';
import { aheadAt, changeBetween, zoneLabel, zoneName } from './zone.mjs';

const COLOURS = 8, DASHES = ['solid', '10px,3px', '3px,2px', '10px,3px,3px,3px']; // --series-1 to --series-8 of style.css; colour is never the only sign
const DAY_MS = 86_400_000, NEAR_PX = 12, FAR_PX = Math.round(Math.min(28, Math.max(16, (globalThis.innerWidth ?? 0) / 105))); // letters, and those of a kiosk
const NOTE_PX = { near: 6, far: 11 }; // a letter of a note
const MANY_LINES = 5; // whose legend needs a taller plot on a phone
const OPEN = ' (open window, incomplete)';
const REASONS = { shed: 'dropped for want of memory', unreadable: 'not readable', broker_lost: 'lost with the broker', deltas_trimmed: 'nobody archived' };
const DRAWING_MS = 10_000, POINTED_MS = 1_000; // age of Plotly's drawing at most; pointed at, its hover texts are read
const order = new WeakMap(); // graph → names of series in order of their first appearance, so that colours stay
const paints = new WeakMap(); // graph → what it was painted from last
const aheads = new WeakMap(); // graph → by how much its times are shifted
const drawings = new WeakMap(); // graph → what Plotly drew last: {key, at, traces, isBehind, timer}

/** The series that a chart shows, as [name, label]; `known` are those of its channel. */
export function shownSeries(known, { fields, by = false, names = null }) {
  if (!by) return fields.filter(({ field }) => known.includes(field)).map(({ field, label }) => [field, label]);
  const [{ field }] = fields, prefix = `${field}:`;
  const all = known.filter((name) => name.startsWith(prefix)).map((name) => [name, name.slice(prefix.length)]);
  return names === null ? all : all.filter(([, group]) => names.includes(group));
}

/** Appends names that were not seen before, in alphabetical order; returns the order. */
export function inOrder(former, names) {
  const fresh = names.filter((name) => !former.includes(name)).sort();
  return [...former, ...fresh];
}

/** Plotly draws dates in UTC; this shifts a time so that it reads as the clock of the zone in use. All of a chart is
    shifted by as much as its newest point: an axis has neither an hour twice nor one too few. */
export function localTime(at, ahead_ms = aheadAt(at)) {
  return at + ahead_ms;
}

/** By how much a graph is drawn later than UTC; undefined where it is not drawn. */
export const aheadOf = (graph) => aheads.get(graph);

/** One trace: a line in columns; absent values are gaps. `note(at)` is what the hover text says of a point beside its
    value, '' for nothing. */
export function traceOf({ t, v }, { label, place, palette, spec, note = null, ahead = t.length ? aheadAt(t[t.length - 1]) : 0 }) {
  const scale = spec.scale ?? 1;
  const decimals = spec.decimals ?? 1, unit = spec.unit ? ` ${escapeHtml(spec.unit)}` : '';
  const notes = note && { text: t.map((at) => note(at)) };
  return {
    type: 'scatter',
    mode: t.length > 1 ? 'lines' : 'markers',
    name: escapeHtml(label),
    x: t.map((at) => localTime(at, ahead)),
    y: scale === 1 ? [...v] : v.map((one) => (one === null ? null : one * scale)),
    connectgaps: false,
    line: { color: palette.series[place % COLOURS], width: 1.75, dash: DASHES[(place + Math.floor(place / COLOURS)) % DASHES.length] },
    hovertemplate: `%{y:,.${decimals}f}${unit}${note ? '%{text}' : ''}<extra>${escapeHtml(label)}</extra>`,
    ...notes,
  };
}

/** The line of the period before, over the one of now. */
export function ghostOf(trace, { t, v }, { label, ago, spec, ahead }) {
  const before = traceOf({ t, v }, { label, place: 0, palette: { series: [] }, spec, ahead });
  return {
    ...before, mode: 'lines', name: `${before.name}, ${ago} before`, opacity: 0.6, showlegend: false,
    line: { color: trace.line.color, width: 1.25, dash: 'dot' },
    hovertemplate: before.hovertemplate.replace('</extra>', `, ${ago} before</extra>`),
  };
}

/** Rings around the points of the window that is still open, whose values are incomplete: those at the newest time. */
export function openWindow(traces) {
  const newest = Math.max(...traces.map(({ x }) => x[x.length - 1] ?? -Infinity));
  const open = traces.filter(({ x, y }) => x[x.length - 1] === newest && y[y.length - 1] !== null);
  return {
    type: 'scatter',
    mode: 'markers',
    x: open.map(() => newest),
    y: open.map(({ y }) => y[y.length - 1]),
    marker: { symbol: 'circle-open', size: 7, color: open.map(({ line }) => line.color), line: { width: 1.5 } },
    hoverinfo: 'skip',
    showlegend: false,
  };
}

/** Diamonds on points that late events have changed; `marked` [{x, y, color}]. */
export function restatedPoints(marked) {
  return {
    type: 'scatter',
    mode: 'markers',
    x: marked.map(({ x }) => x),
    y: marked.map(({ y }) => y),
    marker: { symbol: 'diamond-open', size: 9, color: marked.map(({ color }) => color), line: { width: 1.5 } },
    hoverinfo: 'skip',
    showlegend: false,
  };
}

/** Dashes on the lines' way to the points of the open window: the ground shows through them, on paper as well. */
export function openStretch(traces, palette) {
  const newest = Math.max(...traces.map(({ x }) => x[x.length - 1] ?? -Infinity)), x = [], y = [];
  for (const trace of traces) {
    const last = trace.x.length - 1;
    if (last < 1 || trace.x[last] !== newest || trace.y[last] === null || trace.y[last - 1] === null) continue;
    x.push(trace.x[last - 1], newest, newest);
    y.push(trace.y[last - 1], trace.y[last], null);
  }
  const line = { color: palette.surface, width: 2.5, dash: '3px,3px' };
  return { type: 'scatter', mode: 'lines', x, y, line, connectgaps: false, hoverinfo: 'skip', showlegend: false };
}

/** Thresholds as lines across the plot, each with its word: dots for a warning, dashes for what is bad. */
export function thresholdShapes(thresholds = [], palette = {}) {
  return thresholds.map(({ at, level }) => ({
    type: 'line', xref: 'paper', x0: 0, x1: 1, yref: 'y', y0: at, y1: at, layer: 'below',
    line: { color: palette[level], width: 1, dash: level === 'bad' ? 'dash' : 'dot' },
    label: { text: `${level === 'bad' ? 'bad' : 'warning'} ${at}`, textposition: 'start', yanchor: 'top', padding: 2, font: { size: 11, color: palette[level] } },
  }));
}

/** Colours from the custom properties of the open theme. */
export function readPalette(style) {
  const read = (name) => style.getPropertyValue(`--${name}`).trim() || undefined;
  const names = ['text', 'muted', 'line', 'surface', 'ok', 'warn', 'bad'];
  const series = Array.from({ length: COLOURS }, (_, i) => read(`series-${i + 1}`));
  const veil = /^#[0-9a-f]{6}$/i.test(read('surface') ?? '') ? `${read('surface')}c8` : read('surface'); // words over lines, which shine through
  return { ...Object.fromEntries(names.map((name) => [name, read(name)])), veil, series, kiosk: read('kiosk') === '1' };
}

/** What was wrong meanwhile, and what is missing in the archive, as bands with a text. */
function marked(layout, palette, spec, traces, incidents, missing, out, size, ahead) {
  const times = traces.flatMap(({ x }) => (x.length ? [x[0], x[x.length - 1]] : []));
  if (times.length === 0 || incidents.length + missing.length === 0) return { ...layout, annotations: outsideNotes(out, palette) };
  const since = Math.min(...times) - ahead, until = Math.max(...times) - ahead;
  const place = (at) => new Date(localTime(at, ahead)).toISOString().slice(0, -1); // on this axis, as a text
  const marks = marksOf(incidents, spec.channel, since, until), gaps = missing.map((one) => ({ ...one, from: Math.max(one.since, since), level: 'muted' }));
  const shapes = [...layout.shapes, ...markShapes([...marks, ...gaps], palette, place)];
  const notes = [...markNotes(marks, palette, place, (since + until) / 2, size), ...gapNotes(gaps, palette, place, (since + until) / 2)];
  return { ...layout, shapes, annotations: [...notes, ...outsideNotes(out, palette)] };
}

/** Why there is no line, at the foot of each gap. */
function gapNotes(gaps, palette, place, middle) {
  return gaps.map(({ from, reason }) => ({
    x: place(from), xref: 'x', y: 0, yref: 'paper', yanchor: 'bottom', xanchor: from > middle ? 'right' : 'left', showarrow: false,
    text: escapeHtml(REASONS[reason] ?? reason), font: { size: 11, color: palette.muted }, bgcolor: palette.veil,
  }));
}

/** What of the lines lies beyond the bounds, in as many letters as the plot has room for. */
const beyond = (graph, traces, spec, { kiosk }) => outside(traces, spec, Math.floor((graph._fullLayout._size?.w ?? Infinity) / NOTE_PX[kiosk ? 'far' : 'near']) - 2);

/** Which lines are beyond the bounds of the axis now: nobody would see that they are there. */
function outsideNotes({ above, below }, palette) {
  return [[above, '\u25B2', 1, 'top'], [below, '\u25BC', 0, 'bottom']].filter(([lines]) => lines.length > 0).map(([lines, sign, y, yanchor]) => ({
    x: 1, xref: 'paper', xanchor: 'right', y, yref: 'paper', yanchor, showarrow: false, text: escapeHtml(`${sign} ${lines.join(', ')}`),
    font: { size: palette.kiosk ? 20 : 11, color: palette.warn }, bgcolor: palette.veil,
  }));
}

/** Which clock the axis shows; where clocks change on it, that it is the newer one throughout. */
export function zoneInWords({ from, until }) {
  const change = changeBetween(from, until);
  return change === null ? zoneLabel(until) : `${zoneLabel(until)} throughout, clocks changed on ${day(change)}`;
}

function themed(layout, palette, spec, window_ms, range, width_px = Infinity) {
  layout.xaxis = { ...layout.xaxis, title: { text: zoneInWords(range), standoff: 2, font: { size: palette.kiosk ? FAR_PX : NEAR_PX - 1, color: palette.muted } }, hoverformat: window_ms >= DAY_MS ? '%d %b %H:%M' : '%H:%M:%S' };
  const size = palette.kiosk ? FAR_PX : NEAR_PX;
  layout.font = { ...layout.font, color: palette.muted, size };
  layout.yaxis = { ...layout.yaxis, nticks: palette.kiosk ? 3 : 6 };
  layout.xaxis.nticks = Math.max(2, Math.min(5, Math.floor(width_px / (7 * size)))); // a clock is eight narrow characters wide
  layout.hoverlabel = { ...layout.hoverlabel, bgcolor: palette.surface, bordercolor: palette.line, font: { color: palette.text } };
  for (const axis of ['xaxis', 'yaxis']) layout[axis] = { ...layout[axis], gridcolor: palette.line };
  layout.shapes = thresholdShapes(spec.thresholds, palette);
  return layout;
}

/** Paints a chart's section from the store; false where Plotly or the graph is not ready, or the user drags in it. */
export function paintChart(section, spec, store, palette, incidents, now) {
  const graph = section.querySelector('.js-plotly-plot'), { Plotly } = window;
  if (!Plotly || !graph?._fullLayout || graph._dragging) return false;
  paints.set(graph, [section, spec, store, palette, incidents]);
  const hidden = hiddenOf(graph), view = viewOf(section), { names, traces, ghosts, marked, range, ahead } = tracesOf(graph, spec, store, palette, view, hidden);
  section.toggleAttribute('data-empty', traces.length === 0);
  section.toggleAttribute('data-drawn', true);
  section.toggleAttribute('data-many', names.length > MANY_LINES);
  if (spec.window_ms && traces.length > 0) traces.push(...windowMarks(traces, marked, palette));
  traces.push(...ghosts);
  if (!extend(graph, traces, [[...names, '', ...hidden].join(), palette, incidents, view?.drawn, zoneName(), ahead, JSON.stringify(beyond(graph, traces, spec, palette)), sizeOf(graph)], now)) {
    draw(graph, Plotly, spec, palette, traces, incidents, view, range, ahead);
  }
  return true;
}

const sizeOf = ({ _fullLayout: { width, height } }) => `${width}×${height}`;

/** The lines that were switched off in the legend, or by a key. */
const hiddenOf = (graph) => new Set((graph.data.length > 0 ? graph.data : drawings.get(graph)?.traces ?? []).filter(({ visible }) => visible === 'legendonly').map(({ name }) => name));

/** Dash draws a graph as it was declared, without lines, once it is told of something, as of a line that is switched off
    (of a zoom it is not told): they come back in the same task. */
function redrawn(graph) {
  if (graph.data.length > 0 || drawings.get(graph).traces.length === 0) return;
  const again = () => paintChart(...paints.get(graph), performance.now());
  if (!again()) setTimeout(again, 50);
}

/** What stands on lines of windows, where these are seen themselves. */
function windowMarks(traces, marked, palette) {
  const seen = traces.filter(({ visible }) => visible === true);
  return [openStretch(seen, palette), openWindow(seen), restatedPoints(marked)];
}

function tracesOf(graph, spec, store, palette, view, hidden) {
  const series = store.get(spec.channel)?.state?.series ?? new Map();
  const labels = new Map(shownSeries([...new Set([...series.keys(), ...(view?.names() ?? [])])], spec));
  // colours of declared fields are by their place; those of groups by their first appearance
  order.set(graph, spec.by ? inOrder(order.get(graph) ?? [], [...labels.keys()]) : spec.fields.map(({ field }) => field));
  const openAt = openFrom(series, spec), restated = store.get(spec.channel)?.state?.restated, marked = [];
  const lines = order.get(graph).map((name, place) => [name, place]).filter(([name]) => labels.has(name));
  const line = (name) => (view ? view.line(name, series.get(name)) : withGaps(within(series.get(name), spec.span_ms), spec.gap_ms));
  const pointsOf = new Map(lines.map(([name]) => [name, line(name)])), range = rangeOf([...pointsOf.values()]), ahead = aheadAt(range.until);
  const traces = lines.map(([name, place]) => {
    const points = pointsOf.get(name), marks = restated?.get(name), late = (at) => (marks?.has(at) ? ` (${restatedInWords(marks.get(at))})` : '');
    const note = spec.window_ms ? (at) => `${at === openAt ? OPEN : ''}${late(at)}` : null;
    const trace = traceOf(points, { label: labels.get(name), place, palette, spec, note, ahead });
    trace.visible = hidden.has(trace.name) ? 'legendonly' : true;
    if (marks && trace.visible === true) points.t.forEach((at, i) => { if (marks.has(at)) marked.push({ x: trace.x[i], y: trace.y[i], color: trace.line.color }); });
    return trace;
  });
  const ghosts = lines.flatMap(([name], i) => {
    const before = view?.before(name) ?? null;
    return before === null || traces[i].visible !== true ? [] : [ghostOf(traces[i], before, { label: labels.get(name), ago: view.label, spec, ahead })];
  });
  return { names: lines.map(([name]) => name), traces, ghosts, marked, range, ahead };
}

/** The first and the newest time of lines; now where they have no points. */
function rangeOf(lines) {
  const times = lines.flatMap(({ t }) => (t.length ? [t[0], t[t.length - 1]] : []));
  return times.length ? { from: Math.min(...times), until: Math.max(...times) } : { from: Date.now(), until: Date.now() };
}

/** Brings the last drawing up to date, where it is of the same things and not too old; else remembers the next one. */
function extend(graph, traces, key, now) {
  const last = drawings.get(graph), most = isPointing() ? POINTED_MS : DRAWING_MS;
  const isSame = last !== undefined && now - last.at < most && key.every((one, i) => one === last.key[i]);
  if (isSame && rewrite(graph, traces)) {
    Object.assign(last, { traces, isBehind: true });
    if (isPointing()) catchUp(graph);
    return true;
  }
  if (last === undefined) watch(graph);
  drawings.set(graph, { key, at: now, traces, isBehind: false, timer: null });
  return false;
}

/** Listens to a graph: what Plotly draws by itself, after a zoom or a change of size, is of its last drawing and is
    brought up to date too. */
function watch(graph) {
  const again = () => paintChart(...paints.get(graph), performance.now());
  keepInStep(graph);
  graph.on('plotly_restyle', () => setTimeout(again, 0));
  graph.on('plotly_react', () => redrawn(graph));
  graph.on('plotly_afterplot', () => {
    graph.removeAllListeners('plotly_relayout'); // Dash's: told of a zoom it would draw the graph anew, and we after it
    const { key, traces } = drawings.get(graph);
    rewrite(graph, traces);
    if (key.at(-1) !== sizeOf(graph)) setTimeout(again, 0); // its legend and its notes have other places
    viewOf(graph.closest('.chart'))?.look();
  });
  for (const begin of ['pointerenter', 'focusin']) graph.closest('.plot').addEventListener(begin, catchUpAll);
}

const isPointing = () => document.querySelector('.js-plotly-plot:hover, .plot:focus') !== null;

/** Has Plotly draw what was written into its lines since it drew them, once that is old enough, if a chart is pointed at
    then: what it tells of a point it knows from its own drawing alone. */
function catchUp(graph) {
  const last = drawings.get(graph);
  if (!last?.isBehind || last.timer !== null) return;
  last.timer = setTimeout(() => {
    last.timer = null;
    if (drawings.get(graph) === last && graph.isConnected && isPointing()) paintChart(...paints.get(graph), performance.now());
  }, Math.max(0, last.at + POINTED_MS - performance.now()));
}

const catchUpAll = () => document.querySelectorAll('.js-plotly-plot').forEach(catchUp);

function draw(graph, Plotly, spec, palette, traces, incidents, view, range, ahead) {
  const layout = themed(graph.layout, palette, spec, view?.window_ms ?? spec.span_ms, range, graph._fullLayout._size?.w), since = view?.since ?? null;
  const all = traces.length > 0 ? [...traces, room(traces, since === null ? null : localTime(since, ahead))] : traces;
  layout.yaxis = { ...layout.yaxis, autorangeoptions: { include: headroom(traces) } };
  keepZoom(layout.xaxis, ahead - (aheads.get(graph) ?? ahead));
  aheads.set(graph, ahead);
  Plotly.react(graph, all, marked(layout, palette, spec, traces, incidents, view?.gaps() ?? [], beyond(graph, traces, spec, palette), graph._fullLayout._size, ahead));
}

/** What was zoomed to is the same time when the axis shows another zone. */
function keepZoom(axis, shift_ms) {
  if (shift_ms === 0 || axis.autorange !== false || !axis.range) return;
  axis.range = axis.range.map((at) => new Date(timeOfAxis(at) + shift_ms).toISOString().slice(0, -1));
}

/** A place on a time axis, as Plotly has it, in ms. */
export const timeOfAxis = (at) => (typeof at === 'number' ? at : Date.parse(`${String(at).replace(' ', 'T')}Z`));
