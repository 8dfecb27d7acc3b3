/* The server's clock as this viewer sees it: its offset from `performance.now()`, taken from the ping with the
   least round trip of the last eight; the error is at most half of that trip. Pure. */

const SAMPLES = 8;
const SETTLED = 4; // fewer may all have been taken while the page was too busy to look at the answer
const JUMP_MS = 500; // the monotonic clock may stand still while a machine sleeps; the wall clock does not

export class ServerClock {
  #samples = [];
  #drift = null;

  /** A pong: `sent` and `received` on the monotonic clock, `serverTime` from the frame; all ms. */
  sample(sent, received, serverTime) {
    this.#samples.push({ trip: received - sent, offset: serverTime - (sent + received) / 2 });
    if (this.#samples.length > SAMPLES) this.#samples.shift();
  }

  get known() { return this.#samples.length > 0; }

  /** Whether latencies may be measured with it. */
  get isSettled() { return this.#samples.length >= SETTLED; }

  get best() { return this.#samples.reduce((a, b) => (b.trip < a.trip ? b : a), { trip: Infinity, offset: NaN }); }

  /** Server time for a monotonic time; NaN before the first sample. */
  at(monotonic) { return monotonic + this.best.offset; }

  /** Forgets all samples when the machine slept between two looks; returns whether it did. */
  checkSleep(monotonic, wall) {
    const drift = wall - monotonic, slept = this.#drift !== null && Math.abs(drift - this.#drift) > JUMP_MS;
    this.#drift = drift;
    if (slept) this.#samples = [];
    return slept;
  }
}
