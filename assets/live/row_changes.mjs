/* Row changes: what each field of a row was and when it changed, from rows as the archive and the live state tell them.
   What repeats a value is no change, so that the archive and the live tail may overlap. Pure. */

const OWN = new Set(['at', 'key', 'id', 'deleted', 'whole']);
const TIMES = new Set(['created_at', 'window_start', 'window_end']); // move with every event: no change by themselves

const fieldsOf = (row) => Object.fromEntries(Object.entries(row).filter(([field]) => !OWN.has(field)));

/** The changes that these rows tell, oldest first: {at, kind, fields: [{field, before, after}]}. `kind` is `first` where
    nothing is known of before, `came`, `set` or `gone`; an unknown value is undefined, an absent one null. */
export function changesOf(rows) {
  const changes = [];
  let known = null; // the row as it was; null where nobody knows, undefined where it was not there
  for (const row of [...rows].sort((a, b) => a.at - b.at)) {
    const after = row.deleted ? undefined : { ...(row.whole ? {} : known), ...fieldsOf(row) };
    const change = changeOf(known, after, row);
    if (change !== null) changes.push(change);
    known = after;
  }
  return changes;
}

function changeOf(before, after, { at, whole }) {
  if (after === undefined) return before ? { at, kind: 'gone', fields: [] } : null;
  const names = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after)])].filter((field) => !TIMES.has(field));
  const fields = names.map((field) => ({ field, before: valueIn(before, field, false), after: valueIn(after, field, whole || before) }));
  if (!before) return { at, kind: before === null ? 'first' : 'came', fields: fields.filter(({ after: one }) => one !== undefined) };
  const changed = fields.filter((one) => one.before !== one.after);
  return changed.length > 0 ? { at, kind: 'set', fields: changed } : null;
}

/** A field's value; a row that is known as a whole has null where it has none. */
const valueIn = (row, field, isWhole) => (row && field in row ? row[field] : isWhole ? null : undefined);

/** A field over time as steps, {t, v}: each value stands until the next, the last one until `until`. */
export function stepsOf(rows, field, until) {
  const t = [], v = [];
  const put = (at, value) => { t.push(at); v.push(value); };
  let last; // nothing is known yet
  for (const row of [...rows].sort((a, b) => a.at - b.at)) {
    const isTold = row.deleted || row.whole || field in row;
    const value = typeof row[field] === 'number' && !row.deleted ? row[field] : null;
    if (!isTold || value === last) continue;
    if (typeof last === 'number') put(row.at, last);
    put(row.at, value);
    last = value;
  }
  if (typeof last === 'number' && until > t[t.length - 1]) put(until, last);
  return { t, v };
}

/** How a change of one field reads: `before → after`, with the unit once. `words(value)` writes a value. */
export function inWords({ before, after }, words, unit = '') {
  const told = before === undefined ? words(after) : `${words(before)} → ${words(after)}`;
  return unit && typeof after === 'number' ? `${told}\u00a0${unit}` : told;
}
