/* The painter of a chart: one trace for each series, drawn by Plotly from whole arrays. Zoom holds, because the
   graph's own layout is given back to it. */

import { escapeHtml } from './format.mjs';
import { markNotes, markShapes, marksOf } from './incidents.mjs';
import { withGaps, within } from './points.mjs';

const COLOURS = 8; // --series-1 to --series-8 of style.css; more series start over with a dashed line
const MINUTE_MS = 60_000;
const order = new WeakMap(); // graph → names of series in order of their first appearance, so that colours stay

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

/** Plotly draws dates in UTC; this shifts a time so that it reads as the viewer's own clock. */
export function localTime(at, offset_min = new Date(at).getTimezoneOffset()) {
  return at - offset_min * MINUTE_MS;
}

/** One trace: a line in columns; absent values are gaps. The last point of an open window is not part of it. */
export function traceOf({ t, v }, { label, place, palette, spec }) {
  const scale = spec.scale ?? 1, offset = t.length ? new Date(t[t.length - 1]).getTimezoneOffset() : 0;
  const decimals = spec.decimals ?? 1, unit = spec.unit ? ` ${escapeHtml(spec.unit)}` : '';
  return {
    type: 'scatter',
    mode: t.length > 1 ? 'lines' : 'markers',
    name: escapeHtml(label),
    x: t.map((at) => localTime(at, offset)),
    y: scale === 1 ? [...v] : v.map((one) => (one === null ? null : one * scale)),
    connectgaps: false,
    line: { color: palette.series[place % COLOURS], width: 1.75, dash: place < COLOURS ? 'solid' : 'dash' },
    hovertemplate: `%{y:,.${decimals}f}${unit}<extra>${escapeHtml(label)}</extra>`,
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

/** Thresholds as lines across the plot. */
export function thresholdShapes(thresholds = [], palette = {}) {
  return thresholds.map(({ at, level }) => ({
    type: 'line', xref: 'paper', x0: 0, x1: 1, yref: 'y', y0: at, y1: at, layer: 'below',
    line: { color: palette[level], width: 1, dash: 'dot' },
  }));
}

/** Colours from the custom properties of the open theme. */
export function readPalette(style) {
  const read = (name) => style.getPropertyValue(`--${name}`).trim() || undefined;
  const names = ['text', 'muted', 'line', 'surface', 'ok', 'warn', 'bad'];
  const series = Array.from({ length: COLOURS }, (_, i) => read(`series-${i + 1}`));
  return { ...Object.fromEntries(names.map((name) => [name, read(name)])), series };
}

/** What was wrong meanwhile, as bands with a text. */
function marked(layout, palette, { channel }, traces, incidents, width_px) {
  const times = traces.flatMap(({ x }) => (x.length ? [x[0], x[x.length - 1]] : []));
  if (times.length === 0 || incidents.length === 0) return { ...layout, annotations: [] };
  const offset = new Date().getTimezoneOffset(), shift = localTime(0, offset);
  const since = Math.min(...times) - shift, until = Math.max(...times) - shift;
  const place = (at) => new Date(localTime(at, offset)).toISOString().slice(0, -1); // on this axis, as a text
  const marks = marksOf(incidents, channel, since, until);
  const shapes = [...layout.shapes, ...markShapes(marks, palette, place)];
  return { ...layout, shapes, annotations: markNotes(marks, palette, place, (since + until) / 2, width_px) };
}

function themed(layout, palette, spec) {
  layout.font = { ...layout.font, color: palette.muted };
  layout.hoverlabel = { ...layout.hoverlabel, bgcolor: palette.surface, bordercolor: palette.line, font: { color: palette.text } };
  for (const axis of ['xaxis', 'yaxis']) layout[axis] = { ...layout[axis], gridcolor: palette.line };
  layout.shapes = thresholdShapes(spec.thresholds, palette);
  return layout;
}

/** Paints a chart's section from the store; false where Plotly or the graph is not ready, or the user drags in it. */
export function paintChart(section, spec, store, palette, incidents = []) {
  const graph = section.querySelector('.js-plotly-plot'), { Plotly } = window;
  if (!Plotly || !graph?._fullLayout || graph._dragging) return false;
  const series = store.get(spec.channel)?.state?.series ?? new Map();
  const labels = new Map(shownSeries([...series.keys()], spec));
  // colours of declared fields are by their place; those of groups by their first appearance
  order.set(graph, spec.by ? inOrder(order.get(graph) ?? [], [...labels.keys()]) : spec.fields.map(({ field }) => field));
  const traces = order.get(graph).flatMap((name, place) => {
    if (!labels.has(name)) return [];
    return [traceOf(withGaps(within(series.get(name), spec.span_ms), spec.gap_ms), { label: labels.get(name), place, palette, spec })];
  });
  section.toggleAttribute('data-empty', traces.length === 0);
  if (spec.window_ms && traces.length > 0) traces.push(openWindow(traces));
  const layout = themed(graph.layout, palette, spec);
  Plotly.react(graph, traces, marked(layout, palette, spec, traces, incidents, graph._fullLayout._size?.w));
  return true;
}
