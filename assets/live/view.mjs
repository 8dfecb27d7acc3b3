/* View: how far back one chart looks, and the lines that it shows of that. */

import { Past } from './past.mjs';
import { withGaps, within } from './points.mjs';
import { Refused, readCourse } from './reading.mjs';

const POINTS = 1_200; // of a line: two for each pixel of a wide chart
const AGAIN_MS = 5_000, AGAIN_MAX = 6; // the archive lags by a second or so; it is asked again where that is too much
const AHEAD = 0.1; // of a window: the period before is read so much further, as time goes on
/** A window's name in an address: `24h`. */
export const nameOf = ([, label]) => label.replace(' ', '');

const views = new WeakMap(); // section → View

/** The view of a chart's section; undefined where its channel has no history and one window. */
export const viewOf = (section) => views.get(section);

/** Lets a chart be drawn by a view that is not of a live channel. */
export const showBy = (section, view) => { views.set(section, view); };

export class View {
  #stop = null; // of what is being read
  #coming = null; // a Past that is read in the place of the one that is shown
  #ghostStop = null;
  #again = 0;

  /** `read({channel, since, until, points, onPart, signal})` reads a course; `onChange(view)` is told to show it, and
      `onLook(view)` that it was drawn, perhaps on other axes; `held()` gives the channel as a paused chart shows it. */
  constructor(section, spec, { store, read, later, onChange, onLook = () => {}, held = () => undefined }) {
    Object.assign(this, { section, spec, store, read, later, onChange, onLook, held });
    Object.assign(this, { window_ms: spec.span_ms, isComparing: false, past: null, ghost: null, share: null, trouble: '', drawn: 0 });
    views.set(section, this);
  }

  /** Whether it shows what a chart shows by itself. */
  get isOwn() { return this.window_ms === this.spec.span_ms; }

  /** Whether the archive is needed: the live state does not reach so far back. */
  get isPast() { return this.window_ms > this.spec.kept_ms; }

  get isReading() { return this.share !== null; }

  /** What its window is called. */
  get label() { return this.spec.lookback.find(([ms]) => ms === this.window_ms)[1]; }

  /** Looks back so far, by the name of a window; its own span where it has none of that name. */
  show(name) {
    const [wanted] = this.spec.lookback.find((one) => nameOf(one) === name) ?? [this.spec.span_ms];
    if (wanted === this.window_ms) return;
    this.stop();
    this.window_ms = wanted;
    this.#reload();
  }

  compare(isComparing) {
    if (isComparing === this.isComparing) return;
    this.isComparing = isComparing;
    this.#dropGhost();
    this.#compare();
    this.#changed();
  }

  /** Stops what is being read. */
  stop() {
    this.#stop?.abort();
    this.#dropGhost();
    Object.assign(this, { past: null, share: null, trouble: '' });
    this.#coming = null;
    this.#again = 0;
  }

  /** Reads again what could not be read. */
  again() {
    this.stop();
    this.#reload();
  }

  /** A frame was applied to the store: the points are kept, also those that leave the live state. */
  applied({ op, data }) {
    for (const past of new Set([this.past, this.#coming])) past?.applied(data.points);
    if (this.past === null) this.#begin();
    else if (op === 'snapshot') this.#renew();
    if (this.ghost === null || this.ghost.reached === null) this.#compare();
    else if (this.#newest() - this.window_ms >= this.ghost.until) this.#compareAnew();
  }

  /** The names of its lines that the live state may not have any more. */
  names() { return this.past?.names() ?? []; }

  /** One line, by what the store has of it. */
  line(name, series) {
    if (this.past === null) return withGaps(within(series, this.window_ms), this.spec.gap_ms);
    return this.held() ? this.#heldLine(name) : this.past.line(name);
  }

  /** A line of a paused chart: what is held, and before it what the live state had let go already. */
  #heldLine(name) {
    const { series } = this.held().state, { gap_ms } = this.spec, kept = withGaps(series.get(name) ?? { t: [], v: [] }, gap_ms);
    const from = kept.t[0] ?? Math.min(...[...series.values()].map(({ t }) => t[0]));
    const { t, v } = this.past.line(name, this.#newest() - this.window_ms), end = t.findIndex((at) => at >= from);
    const older = end < 0 ? t : t.slice(0, end), last = older[older.length - 1];
    const isTorn = gap_ms !== null && older.length > 0 && v[older.length - 1] !== null && from - last > gap_ms;
    const seam = isTorn ? [last + 1] : [];
    return { t: [...older, ...seam, ...kept.t], v: [...v.slice(0, older.length), ...seam.map(() => null), ...kept.v] };
  }

  /** The same line one period before, moved to now; null where it is not compared. */
  before(name) {
    if (this.ghost === null) return null;
    const newest = this.#newest(), { t, v } = this.ghost.line(name, newest - 2 * this.window_ms);
    const end = t.findIndex((at) => at + this.window_ms > newest);
    const most = end < 0 ? t.length : end;
    return { t: t.slice(0, most).map((at) => at + this.window_ms), v: v.slice(0, most) };
  }

  /** It was drawn. */
  look() { this.onLook(this); }

  gaps() { return this.past?.gaps() ?? []; }

  /** Where its axis begins; null where it begins with the first point. */
  get since() { return this.isOwn ? null : this.#newest() - this.window_ms; }

  #newest() {
    const held = this.held(), series = (held ?? this.store.get(this.spec.channel))?.state?.series ?? new Map();
    const newest = [...series.values()].map(({ t }) => t[t.length - 1] ?? -Infinity);
    return Math.max(held ? -Infinity : this.past?.newest ?? -Infinity, ...newest);
  }

  #changed() {
    this.drawn += 1;
    this.onChange(this);
  }

  #reload() {
    this.#begin();
    this.#compare();
    this.#changed();
  }

  #begin() {
    const channel = this.store.get(this.spec.channel);
    if (!this.isPast || !channel?.state) return;
    this.past = this.#pastOf(channel);
    void this.#load(this.past);
  }

  #pastOf({ state, position }) {
    const { window_ms, spec: { gap_ms } } = this;
    return new Past({ window_ms, gap_ms, points: POINTS }).begin(state.series, position);
  }

  /** After a snapshot nobody knows what was missed: all is read anew, and shown until then as it was. */
  #renew() {
    const channel = this.store.get(this.spec.channel);
    this.#stop?.abort();
    this.#coming = this.#pastOf(channel);
    void this.#load(this.#coming);
  }

  async #load(past) {
    const stop = this.#stop = new AbortController();
    Object.assign(this, { share: 0, trouble: '' });
    const isFresh = this.past === past;
    const arrived = (part, share) => {
      if (past.reached === null) past.isTorn = !past.joins(part);
      past.add(part);
      this.share = share;
      if (isFresh) this.#changed();
    };
    const until = past.until, trouble = await this.#ask(past, until - this.window_ms, until, arrived, stop.signal);
    if (stop.signal.aborted) return;
    Object.assign(this, { share: null, trouble });
    if (!isFresh && trouble === '') this.past = past;
    this.#coming = null;
    this.#changed();
    if (past.isTorn && this.#again < AGAIN_MAX) {
      this.#again += 1;
      this.later(() => { if (this.past === past && !stop.signal.aborted) this.#renew(); }, AGAIN_MS);
    }
  }

  /** Reads; returns what went wrong, '' where nothing did. */
  async #ask(past, since, until, onPart, signal) {
    try {
      if (until > since && until > 0) {
        await this.read({ channel: this.spec.channel, since: Math.max(0, since), until, points: POINTS, onPart, signal });
      }
      return '';
    } catch (error) {
      if (signal.aborted) return '';
      return error instanceof Refused ? error.message : 'the server does not answer';
    }
  }

  #compare() {
    const newest = this.#newest();
    if (!this.isComparing || this.ghost !== null || !this.canCompare || newest === -Infinity) return;
    const { window_ms, spec: { gap_ms } } = this, until = Math.round(newest - window_ms + AHEAD * window_ms) + 1;
    const ghost = this.ghost = new Past({ window_ms: (2 + AHEAD) * window_ms, gap_ms, points: POINTS }).begin(new Map(), null, until);
    const stop = this.#ghostStop = new AbortController();
    const arrived = (part) => { ghost.add(part); this.#changed(); };
    void this.#ask(ghost, newest - 2 * window_ms, until, arrived, stop.signal).then((trouble) => {
      if (trouble !== '' && this.ghost === ghost) Object.assign(this, { trouble }), this.#changed();
    });
  }

  /** Whether the channel's history reaches two windows back. */
  get canCompare() { return 2 * this.window_ms <= this.spec.history_ms; }

  #compareAnew() {
    this.#dropGhost();
    this.#compare();
  }

  #dropGhost() {
    this.#ghostStop?.abort();
    this.ghost = null;
  }
}

/** Reads courses for views: one at a time, so that a page of many charts leaves room for other viewers. */
export function reader({ turns, fetch, later }) {
  const wait = (ms) => new Promise((done) => { later(done, ms); });
  const ask = (path, signal) => fetch(path, { signal, cache: 'no-store' });
  return (question) => turns.take(() => {
    question.signal.throwIfAborted();
    return readCourse({ ask, later: wait, ...question });
  });
}
