/* Replay: plays the recorded frames of channels again, on a time of its own. What is shown at a time is every commit
   up to it. No DOM and no timer: whoever owns a player calls `tick`, and everything it touches comes through the
   constructor. */

export const SPEEDS = [0.25, 0.5, 1, 2, 5, 10, 30, 60];
const CHUNK_MIN_MS = 60_000, CHUNK_S = 15; // so much of a minute at least, or so long at the speed of now
const AHEAD_S = 5; // the next chunk is asked for when so little is left
export const HELD_MAX = 4_000; // frames that a channel has ahead of it before that
const SHOWN_MAX = 500; // frames that were shown are let go by so many
const SEARCH_MAX_MS = 6 * 3_600_000; // a step looks for the next commit in ever longer chunks, up to this
const RECOMPUTED = 'recomputed';
const REST_MS = 1_000; // between two questions for what the archive did not hold yet

export class Player {
  at; // the time that is shown, ms since the epoch
  commit = 0; // when what is shown was committed last
  speed = 1;
  isPlaying = false;
  loading = null; // {done, of} while one waits for it
  trouble = ''; // why the last loading failed
  #lanes = new Map(); // channel → {frames, next, until, how, gaps, after, pending}
  #turn = 0;
  #abort = null;
  #last = null;

  /** `ask(channel, {since, until, after}, signal)` resolves to an answer of `/recorded`; `show(frames, isFresh)` puts
      frames into the store, fresh ones after it has forgotten its positions; `now()` monotonic ms; `onChange()`;
      the replay goes from `from` until `end`. */
  constructor({ ask, show, now, onChange = () => {}, from, end }) {
    Object.assign(this, { ask, show, now, onChange, from, end, at: from });
  }

  get channels() { return [...this.#lanes.keys()]; }

  get isOver() { return this.at >= this.end; }

  /** How many frames are held; for those who watch memory. */
  get held() { return [...this.#lanes.values()].reduce((sum, { frames, next }) => sum + frames.length - next, 0); }

  /** How the values of a channel came about: `recorded`, `recomputed`, `none`; undefined before it is loaded. */
  how(channel) { return this.#lanes.get(channel)?.how; }

  /** What is missing of a channel around the time that is shown. */
  gapOf(channel) {
    return this.#lanes.get(channel)?.gaps.find(({ since, until }) => since <= this.at && this.at < until) ?? null;
  }

  play() {
    if (this.isOver || this.isPlaying) return;
    Object.assign(this, { isPlaying: true });
    this.#last = this.now();
    this.onChange();
  }

  pause() {
    if (!this.isPlaying) return;
    this.isPlaying = false;
    this.onChange();
  }

  setSpeed(speed) {
    this.speed = speed;
    this.onChange();
  }

  /** Gives up what is being loaded; what was shown before stays. */
  cancel() {
    this.#give();
    this.isPlaying = false;
    this.onChange();
  }

  /** Shows these channels at a time; resolves to whether it came to that. */
  async seek(at, names = this.channels) {
    const target = Math.min(Math.max(at, this.from), this.end), { turn, signal } = this.#begin(names.length);
    const lanes = new Map();
    try {
      await Promise.all(names.map(async (name) => {
        lanes.set(name, await this.#fetch(name, target + 1, null, CHUNK_MIN_MS, signal));
        if (turn !== this.#turn) return;
        this.loading.done += 1;
        this.onChange();
      }));
    } catch (error) {
      if (turn === this.#turn) this.#failed(error);
      return false;
    }
    if (turn !== this.#turn) return false;
    this.#give();
    this.#lanes = lanes;
    this.at = target;
    const first = names.map((name) => lanes.get(name).frames[0]).filter((frame) => frame !== undefined);
    for (const lane of lanes.values()) lane.next = Math.min(1, lane.frames.length);
    this.commit = Math.max(0, ...first.map(timeOf));
    this.show(first, true);
    this.onChange();
    return true;
  }

  /** Goes on by the time that has passed, as far as frames are there. To be called often. */
  tick() {
    const now = this.now(), passed = now - (this.#last ?? now);
    this.#last = now;
    if (!this.isPlaying || this.loading !== null) return;
    const target = Math.min(this.at + passed * this.speed, this.end), reach = Math.min(target, this.#reach() - 1);
    if (reach > this.at) this.#moveTo(reach);
    this.#prefetch();
    if (this.isOver) this.isPlaying = false;
    this.onChange();
  }

  /** Whether it would go on and waits for frames. */
  get isWaiting() { return this.isPlaying && this.loading === null && this.at + 1 >= this.#reach() && !this.isOver; }

  /** Shows the next commit of any channel, or the end where there is none. */
  async stepForward() {
    this.pause();
    const { turn, signal } = this.#begin(0);
    for (let span = CHUNK_MIN_MS; ; span = Math.min(4 * span, SEARCH_MAX_MS)) {
      const next = Math.min(...[...this.#lanes.values()].map(nextTime)), reach = this.#reach();
      if (next < reach || reach > this.end) {
        this.#give();
        this.#moveTo(Math.min(next, this.end));
        return void this.onChange();
      }
      const short = [...this.#lanes].filter(([, lane]) => lane.until === reach);
      try {
        await Promise.all(short.map(([name, lane]) => this.#extend(name, lane, span, signal)));
      } catch (error) {
        if (turn === this.#turn) this.#failed(error);
        return;
      }
      if (turn !== this.#turn) return;
      if (this.#reach() === reach) return this.#failed(new Error('the archive has not come further yet'));
      this.onChange();
    }
  }

  /** Shows what was there before the last commit. */
  async stepBack() {
    this.pause();
    if (this.commit <= this.from) return;
    const before = this.commit - 1;
    if (await this.seek(before)) this.at = Math.min(before, Math.max(this.commit, this.from));
    this.onChange();
  }

  #reach() { return Math.min(...[...this.#lanes.values()].map(({ until }) => until), this.end + 1); }

  #moveTo(time) {
    const due = [];
    for (const lane of this.#lanes.values()) {
      while (lane.next < lane.frames.length && timeOf(lane.frames[lane.next]) <= time) due.push(lane.frames[lane.next++]);
      if (lane.next > SHOWN_MAX) { lane.frames.splice(0, lane.next); lane.next = 0; }
    }
    this.at = time;
    if (due.length === 0) return;
    due.sort((a, b) => timeOf(a) - timeOf(b)); // stable: frames of one channel keep their order
    this.commit = timeOf(due[due.length - 1]);
    this.show(due, false);
  }

  #prefetch() {
    for (const [name, lane] of this.#lanes) {
      if (lane.pending || lane.until > this.end || this.now() < lane.restsUntil || lane.frames.length - lane.next > HELD_MAX) continue;
      if (lane.until - this.at > AHEAD_S * 1_000 * this.speed) continue;
      const span = Math.max(CHUNK_MIN_MS, CHUNK_S * 1_000 * this.speed), turn = this.#turn;
      lane.pending = true;
      this.#extend(name, lane, span, this.#signal()).catch((error) => {
        if (turn === this.#turn) this.#failed(error);
      }).finally(() => { lane.pending = false; });
    }
  }

  async #extend(name, lane, span, signal) {
    if (lane.until > this.end) return;
    const more = await this.#fetch(name, lane.until, lane.how === RECOMPUTED ? null : lane.after, span, signal);
    lane.frames.push(...more.frames.filter((frame) => !isKnown(frame, lane.after)));
    lane.gaps = [...lane.gaps.filter(({ until }) => until > this.at), ...more.gaps];
    const restsUntil = more.until > lane.until ? 0 : this.now() + REST_MS;
    Object.assign(lane, { until: more.until, how: more.how, after: more.after ?? lane.after, restsUntil });
  }

  async #fetch(name, since, after, span, signal) {
    const answer = await this.ask(name, { since, until: Math.min(since + span, this.end + 1), after }, signal);
    const { frames, gaps, how, complete_until: until } = answer, last = frames[frames.length - 1];
    return { frames, gaps, how, until, next: 0, pending: false, restsUntil: 0, after: last ? { epoch: last.epoch, seq: last.seq } : after };
  }

  #signal() { return (this.#abort ??= new AbortController()).signal; }

  #begin(of) {
    this.#give();
    this.loading = { done: 0, of };
    this.trouble = '';
    const signal = this.#signal();
    this.onChange();
    return { turn: this.#turn, signal };
  }

  #give() {
    this.#turn += 1;
    this.#abort?.abort();
    this.#abort = null;
    this.loading = null;
    for (const lane of this.#lanes.values()) lane.pending = false;
    this.#last = this.now();
  }

  #failed(error) {
    this.#give();
    Object.assign(this, { isPlaying: false, trouble: error?.message || 'the archive does not answer' });
    this.onChange();
  }
}

const timeOf = ({ times }) => times.processed;
const nextTime = ({ frames, next }) => (next < frames.length ? timeOf(frames[next]) : Infinity);

/** A part that begins with the state again tells what is shown already. */
const isKnown = ({ op, epoch, seq }, after) => op === 'snapshot' && after !== null && epoch === after.epoch && seq <= after.seq;

/** What a page's address asks for: {at, until, speed}, times in ms, null where it asks for no replay. */
export function replayAsked(search, now) {
  const asked = new URLSearchParams(search), at = momentOf(asked.get('replay'));
  if (at === null) return null;
  const speed = Number(asked.get('speed')), until = momentOf(asked.get('until'));
  const from = at < now ? at : now - 1_000;
  return { from, until: Math.min(until !== null && until > from ? until : from + 3_600_000, now), speed: SPEEDS.includes(speed) ? speed : 1 };
}

function momentOf(text) {
  const ms = /^\d{10,}$/.test(text ?? '') ? Number(text) : Date.parse(text ?? '');
  return Number.isFinite(ms) ? ms : null;
}
