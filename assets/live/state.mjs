/* State of a channel: load a snapshot, apply deltas.
   The same rules as services/state.py; both are tested with tests/cases/*.json. Pure: no clock, no DOM. */

/** Order of two strings by code points, as Python sorts them; `<` would compare UTF-16 units. */
export function compareText(a, b) {
  if (a === b) return 0;
  const left = [...a], right = [...b];
  for (let i = 0; i < Math.min(left.length, right.length); i += 1) {
    if (left[i] !== right[i]) return left[i].codePointAt(0) - right[i].codePointAt(0);
  }
  return left.length - right.length;
}

const entryOrder = (a, b) => a.created_at - b.created_at || compareText(a.id, b.id);

/** Keyed rows. A changed row is a new object, so that a reference tells whether it is shown already. */
export class Latest {
  constructor() { this.rows = new Map(); }

  load(data) { this.rows = new Map(Object.entries(data.rows)); }

  /** Applies a delta, deletions first; returns the keys that it touched. */
  apply(delta) {
    const touched = [...(delta.del ?? [])];
    for (const key of touched) this.rows.delete(key);
    for (const [key, fields] of Object.entries(delta.set ?? {})) {
      const row = this.rows.get(key);
      this.rows.set(key, row === undefined ? fields : { ...row, ...fields });
      touched.push(key);
    }
    return touched;
  }

  data() { return { rows: Object.fromEntries(this.rows) }; }

  /** The same state, which later deltas leave alone; rows are shared, as none is ever changed. */
  copy() {
    const copy = new Latest();
    copy.rows = new Map(this.rows);
    return copy;
  }
}

/** Points by series, in two columns each, so that a chart takes them without unpacking. A changed series is a new object. */
export class Series {
  constructor(keep = {}) {
    this.keep = keep;
    this.series = new Map();
    this.restated = new Map(); // name → Map of t → how often the point was restated
  }

  load(data) {
    this.series = new Map();
    this.restated = new Map();
    this.#mark(data.restated);
    for (const [name, points] of Object.entries(data.points)) {
      this.series.set(name, { t: points.map((point) => point[0]), v: points.map((point) => point[1]) });
    }
    this.#trim();
  }

  /** Applies a delta; returns the names of the series that it touched or that aged out. */
  apply(delta) {
    const touched = Object.keys(delta.points ?? {});
    for (const name of touched) {
      this.series.set(name, { ...(this.series.get(name) ?? { t: [], v: [] }) });
      for (const point of delta.points[name]) putPoint(this.series.get(name), point);
    }
    this.#mark(delta.restated);
    return [...new Set([...touched, ...this.#trim()])];
  }

  data() {
    const points = {};
    for (const [name, { t, v }] of this.series) points[name] = t.map((at, i) => [at, v[i]]);
    if (this.restated.size === 0) return { points };
    const restated = Object.fromEntries([...this.restated].map(([name, marks]) => [name, [...marks].sort(([a], [b]) => a - b)]));
    return { points, restated };
  }

  #mark(restated = {}) {
    for (const [name, marks] of Object.entries(restated)) {
      if (!this.restated.has(name)) this.restated.set(name, new Map());
      for (const [at, times] of marks) this.restated.get(name).set(at, times);
    }
  }

  #trimMarks() {
    for (const [name, marks] of this.restated) {
      const oldest = this.series.get(name)?.t[0] ?? Infinity;
      for (const at of marks.keys()) if (at < oldest) marks.delete(at);
      if (marks.size === 0) this.restated.delete(name);
    }
  }

  /** The same state, which later deltas leave alone. */
  copy() {
    const copy = new Series(this.keep);
    for (const [name, { t, v }] of this.series) copy.series.set(name, { t: [...t], v: [...v] });
    return copy;
  }

  #trim() {
    const { span_ms: span = Infinity, points_max: most = Infinity } = this.keep;
    let newest = -Infinity;
    for (const { t } of this.series.values()) if (t.length && t[t.length - 1] > newest) newest = t[t.length - 1];
    const shortened = [];
    for (const [name, { t, v }] of this.series) {
      let drop = 0;
      while (drop < t.length && t[drop] < newest - span) drop += 1;
      drop = Math.max(drop, t.length - most);
      if (drop > 0) { t.splice(0, drop); v.splice(0, drop); this.series.set(name, { t, v }); shortened.push(name); }
      if (t.length === 0) this.series.delete(name);
    }
    if (this.restated.size > 0) this.#trimMarks();
    return shortened;
  }
}

/** Puts one point where its time belongs; the same time replaces. New points come last, so search from there. */
export function putPoint({ t, v }, [at, value]) {
  let i = t.length;
  while (i > 0 && t[i - 1] > at) i -= 1;
  if (i > 0 && t[i - 1] === at) v[i - 1] = value;
  else { t.splice(i, 0, at); v.splice(i, 0, value); }
}

/** The newest entries in order of (created_at, id), newest last. */
export class Log {
  constructor(keep = {}) {
    this.keep = keep;
    this.entries = [];
    this.byId = new Map();
  }

  load(data) {
    this.entries = [];
    this.byId = new Map();
    this.apply(data);
  }

  /** Applies a delta; returns the ids of its entries. */
  apply(delta) {
    const entries = delta.entries ?? [];
    for (const entry of entries) this.#put(entry);
    const surplus = this.entries.length - (this.keep.entries_max ?? Infinity);
    if (surplus > 0) for (const gone of this.entries.splice(0, surplus)) this.byId.delete(gone.id);
    return entries.map((entry) => entry.id);
  }

  data() { return { entries: [...this.entries] }; }

  /** The same state, which later deltas leave alone; entries are shared, as none is ever changed. */
  copy() {
    const copy = new Log(this.keep);
    copy.entries = [...this.entries];
    copy.byId = new Map(this.byId);
    return copy;
  }

  #put(entry) {
    const former = this.byId.get(entry.id);
    if (former !== undefined) this.entries.splice(this.entries.indexOf(former), 1);
    this.byId.set(entry.id, entry);
    let i = this.entries.length;
    while (i > 0 && entryOrder(this.entries[i - 1], entry) > 0) i -= 1;
    this.entries.splice(i, 0, entry);
  }
}

const KINDS = { latest: Latest, series: Series, log: Log };

/** An empty state of a kind; `keep` says how much of it is kept. Throws for an unknown kind. */
export function stateOf(kind, keep) {
  if (!(kind in KINDS)) throw new Error(`kind is ${JSON.stringify(kind)}: know latest, series and log`);
  return new KINDS[kind](keep);
}
