/* Windows: which values are of the window that is still open, and so are incomplete, and which may be compared.
   By event time, as the server has it: the window of a channel's newest event is open, all before it are closed. Pure. */

import { clock as clockTime, duration, number, zonedClock } from './format.mjs';
import { within } from './points.mjs';

/** The time of the newest point of all series; -Infinity where there is none. */
export function newestOf(series) {
  return Math.max(-Infinity, ...[...(series?.values() ?? [])].map(({ t }) => t[t.length - 1] ?? -Infinity));
}

/** The time of the points of the open window; Infinity where the points are of single events, which are never open. */
export const openFrom = (series, { window_ms }) => (window_ms ? newestOf(series) : Infinity);

/** The points that are of complete windows, and so may be compared with each other. Left out are the open window and,
    where the channel began within what is shown, those that reach back to before its first event. */
export function complete({ t, v }, openAt, { window_ms, windows = 1, span_ms }) {
  if (!window_ms || t.length === 0) return { t, v };
  const isWhole = span_ms && t[t.length - 1] - t[0] >= span_ms - window_ms, first = isWhole ? t[0] : t[0] + windows * window_ms;
  const kept = t.map((at, i) => [at, v[i]]).filter(([at]) => at >= first && at < openAt);
  return { t: kept.map(([at]) => at), v: kept.map(([, one]) => one) };
}

/** A text for the complete windows that a change is between; null where there are not two. */
export function comparedInWords(series, trend) {
  const points = within(series.get(trend.series), trend.span_ms);
  const { t, v } = complete(points, openFrom(series, trend), trend), known = t.filter((_, i) => v[i] !== null);
  if (known.length < 2) return null;
  const [first] = known, last = known[known.length - 1], end = trend.window_ms ?? 0;
  if (!trend.window_ms) return `from ${clockTime(first)} to ${clockTime(last)}`;
  return `the complete window that ended at ${clockTime(last + end)} less the one that ended at ${clockTime(first + end)}; the open one is not compared`;
}

/** The window that a component's value is of, as {start, end} in ms; null where it is of single events, or of none. */
export function windowOf({ window_ms, windows = 1, key }, state) {
  if (!window_ms || !state) return null;
  if (state.rows) {
    const row = key === undefined ? state.rows.values().next().value : state.rows.get(key);
    return row?.window_end ? { start: row.window_start, end: row.window_end } : null;
  }
  const newest = newestOf(state.series);
  return Number.isFinite(newest) ? { start: newest - (windows - 1) * window_ms, end: newest + window_ms } : null;
}

/** The same in words. It stays open until an event of the next window comes: no clock moves a window, events do. */
export function windowInWords({ start, end }, { window_ms, windows = 1 }, now) {
  const step = end - window_ms, passed = Math.min(Math.max(0, now - step), window_ms);
  const how = !(now < end)
    ? `its time is over since ${clockTime(end)}, and it stays open until an event of the next one comes`
    : `${duration(passed)} of ${duration(window_ms)} have passed`;
  const which = windows > 1 ? `the newest step, from ${clockTime(step)}, is open and incomplete` : 'open and incomplete';
  return `${clockTime(start)} to ${zonedClock(end)}; ${which}: ${how}`;
}

const times = (n) => (n === 1 ? 'once' : n === 2 ? 'twice' : `${number(n, 0)} times`);

/** What a value says of late events that changed it after its window was shown as closed; '' where none did. */
export const restatedInWords = (n) => (n > 0 ? `restated ${times(n)}` : '');

/** The same for a component: of its row, of the rows of a table, or of the points of a chart; '' where nothing was. */
export function restatedOf({ key }, state) {
  if (state?.rows && key !== undefined) return told(restatedInWords(state.rows.get(key)?.restated));
  const marked = state?.rows
    ? [...state.rows.values()].filter(({ restated }) => restated > 0).map((row) => [row.window_start, row.restated])
    : [...(state?.restated?.values() ?? [])].flatMap((marks) => [...marks]);
  if (marked.length === 0) return '';
  const what = state.rows ? 'row' : 'point', newest = marked.reduce((a, b) => (b[0] > a[0] ? b : a));
  const where = state.rows ? '' : `; the newest of ${clockTime(newest[0])}, ${times(newest[1])}`;
  return told(`${number(marked.length, 0)} ${what}${marked.length === 1 ? '' : 's'} restated${where}`);
}

const told = (words) => words && `${words}: late events changed windows after they had been shown as closed`;
