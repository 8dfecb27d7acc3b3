/* Still: an answer of the archive as a chart's painter reads a live channel: lines, gaps, the axis from its begin on, and
   whether the newest window is open. Pure. */

import { Past } from './past.mjs';

const FIELD = 'value';

/** What `paintChart` takes: {spec, store, view} for an answer of `/api/explore`; `drawn` differs for each. */
export function stillOf(answer, drawn) {
  const { of, label, unit, decimals, by, since, until, step_ms, lines, gaps } = answer;
  const name = (group) => (by === null ? FIELD : `${FIELD}:${group}`);
  const series = new Map(Object.entries(lines).map(([group, pairs]) => [name(group), columns(pairs)]));
  const spec = {
    channel: of, fields: [{ field: FIELD, label }], by: by !== null, unit, decimals, span_ms: until - since,
    ...(answer.open ? { window_ms: step_ms, windows: 1 } : {}),
  };
  return { spec, ...shown(series, { since, until, gaps, drawn }) };
}

/** The same for a course of a channel that `past` holds, of a chart with this `spec`. */
export function courseOf(past, spec, { since, until }, drawn) {
  const series = new Map(past.names().map((name) => [name, past.line(name, since)]));
  const { window_ms, windows, ...own } = spec; // it is over
  return { spec: own, ...shown(series, { since, until, gaps: past.gaps(), drawn }) };
}

/** Holds the parts of a course as they are read. */
export const pastOf = ({ gap_ms }, { since, until }, points) =>
  new Past({ window_ms: until - since, gap_ms, points }).begin(new Map(), null, until);

function shown(series, { since, until, gaps, drawn }) {
  const clipped = gaps.map((one) => ({ ...one, since: Math.max(one.since, since), until: Math.min(one.until, until) }));
  const view = {
    names: () => [], line: (name) => series.get(name), before: () => null, look: () => {}, gaps: () => clipped,
    since, window_ms: until - since, drawn,
  };
  return { store: { get: () => ({ state: { series } }) }, view };
}

const columns = (pairs) => ({ t: pairs.map(([t]) => t), v: pairs.map(([, v]) => v) });

/** What is to be said of an answer beside its time: what is missing of it, and how much there is. */
export function notesOf(answer, { moment, count }) {
  const { begin, since, reached, step_ms, groups, lines, events, kept_ms, by, as_of: asOf } = answer, notes = [];
  const shownLines = Object.keys(lines).length, days = kept_ms / 86_400_000;
  if (events === 0) return ['no events in this interval'];
  notes.push(`${count(events)} ${events === 1 ? 'event' : 'events'}`);
  if (reached > since) notes.push(`read back to ${moment(reached)} only, as the time for an answer was over: shorten the interval`);
  else if (begin > since + step_ms) {
    const isLet = asOf - since > kept_ms; // go, by its age
    notes.push(`nothing before ${moment(begin)}${isLet ? `: events are kept for ${count(days)} ${days === 1 ? 'day' : 'days'}` : ''}`);
  }
  if (answer.silence) notes.push(`no event from ${moment(answer.silence[0])} to ${moment(answer.silence[1])}: quiet, or nothing ran`);
  if (by !== null && groups.length > shownLines) notes.push(`${shownLines} of ${count(groups.length)} lines, those with most events; a table has all`);
  return notes;
}
