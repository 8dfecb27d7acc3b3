/* Shown: what a component shows, as rows of its channel's columns: what is filtered out, switched off or zoomed away is
   not among them. Values are as they are in the channel, not as they are written. */

import { aheadOf, shownSeries, timeOfAxis } from './chart.mjs';
import { shownEntries } from './log.mjs';
import { itemsOf, shownState } from './painters.mjs';
import { within } from './points.mjs';
import { aheadAt } from './zone.mjs';

const WINDOW = ['window_start', 'window_end'];
const OPEN = 'row-details'; // a table's column that opens a row

/** {columns, rows} of a component; `graph` and `view` are a chart's, `api` a table's grid, `painter` that of what is painted. */
export function shownRows(spec, state, { graph = null, api = null, view = null, painter = null, matches = () => true } = {}) {
  if (state === null || state === undefined) return { columns: null, rows: [] };
  if (api) return ofTable(api);
  if (spec.paint === 'tile') return ofTile(spec, state);
  if (spec.paint === 'log') return ofLog(spec, state, matches);
  return painter ? ofPainted(spec, state, painter) : ofChart(spec, state, graph, view);
}

/** As its painter says, else all that it is given. */
function ofPainted(spec, state, painter) {
  if (painter.rows) return painter.rows(spec, shownState(state, spec));
  const names = spec.fields.map(({ field }) => field), items = [...itemsOf(state, spec)];
  if (state.rows) return { columns: ['key', ...names, ...(spec.window_ms ? WINDOW : []), 'created_at'], rows: items.map(([key, row]) => ({ key, ...row })) };
  if (state.entries) return { columns: ['id', 'created_at', ...names], rows: items.map(([, entry]) => entry) };
  const lines = items.filter(([name]) => names.includes(name.split(':')[0]));
  return { columns: null, rows: lines.flatMap(([name, { t, v }]) => t.map((at, i) => ({ at, name, value: v[i] }))) };
}

function ofTable(api) {
  const rows = [];
  api.forEachNodeAfterFilterAndSort(({ data: { id, ...row } }) => rows.push({ key: id, ...row }));
  const ids = api.getAllDisplayedColumns().map((column) => column.getColId()).filter((colId) => colId !== OPEN);
  return { columns: ['key', ...ids], rows };
}

function ofTile({ key, field }, { rows }) {
  const row = rows.get(key);
  if (row === undefined) return { columns: null, rows: [] };
  return { columns: ['key', field, ...WINDOW.filter((name) => name in row), 'created_at'], rows: [{ key, ...row }] };
}

function ofLog({ columns, entries_max }, { entries }, matches) {
  const names = columns.map(({ field }) => field).filter((name) => name !== 'created_at');
  return { columns: ['id', 'created_at', ...names], rows: shownEntries(entries.filter(matches), entries_max) };
}

/** A chart that looks back has points of the archive as well, thinned as they are drawn; its holes are no points. */
function ofChart(spec, { series }, graph, view) {
  const seen = seenBy(graph), rows = [], known = new Set([...series.keys(), ...(view?.names() ?? [])]);
  shownSeries([...known], spec).forEach(([name, label]) => {
    if (seen.hidden.has(label)) return;
    const { t, v } = view ? view.line(name, series.get(name)) : within(series.get(name), spec.span_ms);
    t.forEach((at, i) => {
      if (at >= seen.from && at <= seen.to && !(view && v[i] === null)) rows.push({ at, name, value: v[i] });
    });
  });
  return { columns: null, rows };
}

/** The zoomed range, and what is switched off in the legend. */
function seenBy(graph) {
  const { autorange = true, range = [] } = graph?._fullLayout?.xaxis ?? {};
  const [from, to] = autorange ? [-Infinity, Infinity] : range.map((at) => unshifted(at, aheadOf(graph)));
  const off = (graph?._fullData ?? []).filter(({ visible }) => visible === 'legendonly');
  return { from, to, hidden: new Set(off.map(({ name }) => name)) };
}

/** A time on the axis, which is drawn as a clock of the zone in use, as a time again. */
function unshifted(at, ahead) {
  const drawn = timeOfAxis(at);
  return drawn - (ahead ?? aheadAt(drawn));
}
