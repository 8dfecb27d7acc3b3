/* Past: the lines of one chart's window: what the archive tells, joined to what the store holds, so that no point stands
   twice and none is missing. Pure: the reading is done by reading.mjs, the showing by lookback.mjs.

   From the moment it begins, every point that a delta brings is kept here (the tail), also when the live state lets it
   go; the archive gives what is older. Each line has one time that parts the two. A tail that grows long is thinned at
   its old end, so that a page may stay open for days. */

import { thinned, withGaps } from './points.mjs';
import { putPoint } from './state.mjs';

const TAIL_MAX = 2_000, TAIL_KEPT = 1_000; // points of a line as they came; older ones are thinned like the archive's
const HOUR_GAP_MS = 4_800_000; // between two hours of roll-ups that follow each other there is less

const empty = () => ({ t: [], v: [] });

export class Past {
  #read = new Map(); // name → {t, v}: older than the tail, thinned, null for a gap
  #late = new Map(); // name → {t, v}: points that came after their time was part of the past already
  #tail = new Map(); // name → {t, v}: every point since
  #from = new Map(); // name → the time that parts them, which moves on as the tail is thinned
  #begun = new Map(); // name → the time that parted them at the beginning: up to there the archive is needed
  #gaps = [];
  #byHour = false;

  /** `points` is about how many of a line are shown, `gap_ms` from which distance on two are not joined. */
  constructor({ window_ms, gap_ms, points }) {
    Object.assign(this, { window_ms, gap_ms, points, version: 0, reached: null, isTorn: false });
  }

  /** Begins with the live state at a position: all of it, and everything after it by `applied`. */
  begin(series, position, until = null) {
    this.position = position;
    const newest = Math.max(...[...series.values()].map(({ t }) => t[t.length - 1] ?? -Infinity));
    this.until = until ?? (newest === -Infinity ? 0 : newest + 1); // up to here the archive is asked
    for (const [name, { t, v }] of series) {
      if (t.length === 0) continue;
      this.#tail.set(name, { t: [...t], v: [...v] });
      this.#begun.set(name, t[0]);
    }
    this.#from = new Map(this.#begun);
    return this;
  }

  /** Takes the points of a delta, or of a snapshot that came in between. */
  applied(points) {
    for (const [name, pairs] of Object.entries(points ?? {})) {
      for (const pair of pairs) putPoint(this.#column(pair[0] >= this.#partedAt(name) ? this.#tail : this.#late, name), pair);
      this.#shorten(name);
    }
  }

  /** Whether the archive knows everything that is older than the tail, by the newest part that was read. */
  joins({ position, points }) {
    const { epoch, seq } = this.position ?? {};
    if (this.#begun.size === 0 || (position !== null && position.epoch === epoch && position.seq >= seq)) return true;
    // it lags behind, but what it has reaches into what the live state held
    const newest = Math.max(...Object.values(points).map((pairs) => lastKnown(pairs)));
    return newest >= Math.min(...this.#begun.values());
  }

  /** Adds a part of the archive, older than all before it. */
  add({ since, by, points, gaps }) {
    const isHourly = by === 'hour';
    for (const [name, pairs] of Object.entries(points)) {
      const begun = this.#begun.get(name) ?? this.until, older = pairs.filter(([t]) => t < begun);
      if (older.length === 0) continue;
      const { t, v } = this.#column(this.#read, name), last = older[older.length - 1][0];
      if (t.length > 0 && (this.#isGap(last, t[0], isHourly) || this.#isLost(last, t[0], gaps))) older.push([last + 1, null]);
      this.#read.set(name, { t: [...older.map((one) => one[0]), ...t], v: [...older.map((one) => one[1]), ...v] });
    }
    this.#gaps = [...gaps, ...this.#gaps];
    if (isHourly && !this.#byHour) this.hourlyUntil = this.reached ?? this.until;
    this.#byHour ||= isHourly;
    this.reached = since;
    this.version += 1;
  }

  /** The names of all lines. */
  names() { return [...new Set([...this.#read.keys(), ...this.#late.keys(), ...this.#tail.keys()])]; }

  /** The time of the newest point. */
  get newest() { return Math.max(this.until - 1, ...[...this.#tail.values()].map(({ t }) => t[t.length - 1] ?? -Infinity)); }

  /** A line from the window's begin to its newest point, null for a gap. */
  line(name, since = this.newest - this.window_ms) {
    const read = this.#older(name), tail = withGaps(this.#tail.get(name) ?? empty(), this.gap_ms);
    const seam = this.#seam(name, read, tail);
    const t = [...read.t, ...seam, ...tail.t], v = [...read.v, ...seam.map(() => null), ...tail.v];
    const first = t.findIndex((at) => at >= since);
    return first <= 0 ? { t: first < 0 ? [] : t, v: first < 0 ? [] : v } : { t: t.slice(first), v: v.slice(first) };
  }

  /** What is known to be missing, where a line has a gap because of it: [{since, until, reason}]. */
  gaps() {
    const holes = this.names().flatMap((name) => holesOf(this.line(name)));
    return this.#gaps.filter(({ since, until }) => holes.some(([from, to]) => from < until && to > since));
  }

  #column(lines, name) {
    if (!lines.has(name)) lines.set(name, empty());
    return lines.get(name);
  }

  #partedAt(name) { return this.#from.get(name) ?? this.until; }

  #isGap(older, newer, isHourly = false) {
    return this.gap_ms !== null && newer - older > Math.max(this.gap_ms, isHourly ? HOUR_GAP_MS : 0);
  }

  /** The time of the gap between two parts of a line; nothing where they are joined. */
  #seam(name, older, newer) {
    if (older.t.length === 0 || newer.t.length === 0) return [];
    const last = older.t[older.t.length - 1], isTorn = this.isTorn && this.#from.get(name) === this.#begun.get(name);
    return isTorn || this.#isGap(last, newer.t[0]) || this.#isLost(last, newer.t[0]) ? [last + 1] : [];
  }

  /** Whether deltas of the channel were lost between two points. */
  #isLost(older, newer, gaps = []) {
    return [...gaps, ...this.#gaps].some(({ since, reason }) => reason === 'deltas_trimmed' && older <= since && since < newer);
  }

  #older(name) {
    const read = this.#read.get(name) ?? empty(), late = this.#late.get(name);
    if (late === undefined) return read;
    const { t, v } = { t: [...read.t], v: [...read.v] };
    late.t.forEach((at, i) => putPoint({ t, v }, [at, late.v[i]]));
    return { t, v };
  }

  /** The old end of a long tail becomes part of the past: thinned, with both its ends, so that the seam is where it was. */
  #shorten(name) {
    const tail = this.#tail.get(name);
    if (tail === undefined || tail.t.length <= TAIL_MAX) return;
    const count = tail.t.length - TAIL_KEPT, old = { t: tail.t.splice(0, count), v: tail.v.splice(0, count) };
    const read = this.#older(name), most = Math.max(8, Math.round((this.points * (old.t[count - 1] - old.t[0])) / this.window_ms));
    const kept = withEnds(old, thinned(withGaps(old, this.gap_ms), most));
    const seam = this.#seam(name, read, kept);
    const all = { t: [...read.t, ...seam, ...kept.t], v: [...read.v, ...seam.map(() => null), ...kept.v] };
    const first = Math.max(0, all.t.findIndex((at) => at >= this.newest - this.window_ms));
    this.#read.set(name, { t: all.t.slice(first), v: all.v.slice(first) });
    this.#late.delete(name);
    this.#from.set(name, tail.t[0]);
  }
}

const lastKnown = (pairs) => pairs.reduce((newest, [t, value]) => (value === null ? newest : t), -Infinity);

/** Where a line has no value: the times before and after it. */
function holesOf({ t, v }) {
  return t.flatMap((at, i) => (v[i] === null ? [[t[i - 1] ?? at, t[i + 1] ?? at]] : []));
}

function withEnds(whole, { t, v }) {
  const last = whole.t.length - 1, kept = { t: [...t], v: [...v] };
  for (const i of [0, last]) putPoint(kept, [whole.t[i], whole.v[i]]);
  return kept;
}
