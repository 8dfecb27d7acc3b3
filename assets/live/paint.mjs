/* The one paint loop. Jobs say that they are dirty; the loop asks for an animation frame only while one of them
   may be painted now, waits by timer while it is too early, and sleeps when nothing is dirty or nothing is seen. */

export const FRAME_BUDGET_MS = 12; // of one animation frame; what is left over is painted in the next
/** A group whose paints cost c ms, with the style, layout and raster that the browser does for them, rests for so many
    times c: a fifth of the thread for texts and one for tables, a quarter for charts, at most. */
export const SHARE = 4;
export const SHARES = { chart: 3 };
export const REST_MAX_MS = 500; // however dear one frame was: the first of a grid may take seconds on a slow machine
const RETRY_MS = 250; // a job that cannot paint yet (Plotly or a grid still loads)
const FRAME_MS = 17;

/** One thing to paint. `paint(now)` returns false where it could not yet; jobs of a group share one budget. */
export class Job {
  constructor({ group, every_ms = 0, paint, seen = true }) {
    Object.assign(this, { group, every_ms, paint, seen });
    this.dirty = false;
    this.due = 0;
    this.cost_ms = 0;
  }
}

export class PaintLoop {
  #jobs = new Set();
  #resting = new Map(); // group → time before which its jobs rest
  #frame = null;
  #timer = null;

  /** `scope` gives requestAnimationFrame, setTimeout and clearTimeout; `now()` monotonic ms; `isHidden()` the tab;
      `afterFrame(act)` runs it in the first task after the frame. */
  constructor({ scope, now, isHidden, onPainted = () => {}, afterFrame = taskAfter(scope) }) {
    Object.assign(this, { scope, now, isHidden, onPainted, afterFrame });
    this.frames = 0;
  }

  add(job) {
    this.#jobs.add(job);
    this.mark(job);
  }

  remove(job) { this.#jobs.delete(job); }

  mark(job) {
    job.dirty = true;
    this.kick();
  }

  /** A job turned out to cost more than its paint: its group rests for longer. */
  charge({ group }, cost_ms) { this.#rest(group, cost_ms); }

  #rest(group, cost_ms) { this.#resting.set(group, this.now() + Math.min(REST_MAX_MS, (SHARES[group] ?? SHARE) * cost_ms)); }

  /** Says whether a job's element is in view; one that comes into view catches up. */
  see(job, seen) {
    job.seen = seen;
    if (seen) this.kick();
  }

  /** Wakes the loop: something became dirty, or was seen again. */
  kick() {
    if (this.#frame !== null || this.isHidden()) return;
    const at = this.#soonest();
    if (at === Infinity) return;
    const wait = at - this.now();
    this.scope.clearTimeout(this.#timer);
    this.#timer = null;
    if (wait > FRAME_MS) this.#timer = this.scope.setTimeout(() => { this.#timer = null; this.#ask(); }, wait - FRAME_MS / 2);
    else this.#ask();
  }

  #ask() {
    if (this.#frame === null) this.#frame = this.scope.requestAnimationFrame(() => this.#run());
  }

  #soonest() {
    let at = Infinity;
    for (const job of this.#jobs) if (job.dirty && job.seen) at = Math.min(at, this.#startOf(job));
    return at;
  }

  #startOf(job) { return Math.max(job.due, this.#resting.get(job.group) ?? 0); }

  #run() {
    this.#frame = null;
    this.frames += 1;
    const start = this.now(), spent = new Map();
    // those that waited longest first, so that a full frame starves no one
    const ready = [...this.#jobs].filter((job) => job.dirty && job.seen && this.#startOf(job) <= start);
    for (const job of ready.sort((a, b) => a.due - b.due)) {
      if (this.now() - start >= FRAME_BUDGET_MS) break;
      spent.set(job.group, (spent.get(job.group) ?? 0) + this.#paint(job));
    }
    for (const [group, cost] of spent) this.#rest(group, cost);
    this.afterFrame(() => this.#settle(spent, this.now() - start));
  }

  /** The browser has drawn the frame: its cost is that of the groups that painted in it, each by its part. */
  #settle(spent, frame_ms) {
    const painting = [...spent.values()].reduce((sum, cost) => sum + cost, 0);
    if (painting > 0) for (const [group, cost] of spent) this.#rest(group, (frame_ms * cost) / painting);
    this.kick();
  }

  #paint(job) {
    const start = this.now();
    job.dirty = false;
    let done = false;
    try {
      done = job.paint(start) !== false;
    } catch (error) {
      console.error('headwater: a painter failed', error); // the others go on; this one tries again
    }
    const end = this.now();
    job.cost_ms = end - start;
    job.due = done ? start + job.every_ms : end + RETRY_MS;
    if (done) this.onPainted(job, end);
    else job.dirty = true;
    return job.cost_ms;
  }
}

/** Runs something in the first task after the animation frame that is being made. */
function taskAfter({ MessageChannel }) {
  if (MessageChannel === undefined) return (act) => act();
  const { port1, port2 } = new MessageChannel();
  const waiting = [];
  port1.onmessage = () => waiting.splice(0).forEach((act) => act());
  return (act) => { waiting.push(act); port2.postMessage(null); };
}
