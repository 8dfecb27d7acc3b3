/* The long poll: how frames come where WebSockets are blocked. One request after the other asks for what follows our
   positions; the server holds it until there is something. Everything that it touches comes through the constructor. */

export const WAIT_S = 5; // a heartbeat's distance, so that freshness is as well known as by a socket; 25 is allowed
const EVERY_MS = 250; // a busy channel has news at once: this keeps a viewer at four requests a second
const BACKOFF_BASE_MS = 500, BACKOFF_CAP_MS = 15_000;
const SAMPLES = 4, SAMPLE_EVERY_MS = 60_000; // requests that do not wait, whose round trip tells the server's clock

/** One request; resolves to what `Poll` wants to know of its answer. */
export async function askForChanges(body, signal = null) {
  const patience = AbortSignal.timeout((body.wait_s + 10) * 1_000);
  const request = {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body),
    signal: signal ? (AbortSignal.any?.([signal, patience]) ?? signal) : patience, // browsers of before 2024 have no any()
  };
  try {
    const answer = await fetch('/api/changes', request);
    const frames = answer.status === 200 ? await answer.json() : [];
    return { status: answer.status, frames, retry_ms: 1_000 * (Number(answer.headers.get('Retry-After')) || 0) };
  } catch {
    return { status: 0 };
  }
}

/** A viewer's measurements where no socket takes them; one that does not arrive is not worth another try. */
export async function sendReport(report) {
  const body = JSON.stringify(report), headers = { 'Content-Type': 'application/json' };
  await fetch('/api/report', { method: 'POST', headers, body, keepalive: body.length < 60_000 }).catch(() => null);
}

/** Asks for a page's first values over HTTP while Dash still draws it; `isLate()` says whether the socket was quicker,
    which else goes on from there. */
export async function prime({ store, names, clock, now, onFrame, isLate }) {
  if (names.length === 0) return;
  store.want(names, now());
  const sent = now(), { frames = [] } = await askForChanges({ channels: store.positions(), wait_s: 0, heartbeat: true });
  const received = now();
  if (isLate()) return;
  const time = frames.find(({ op }) => op === 'heartbeat')?.server_time;
  if (time !== undefined) clock.sample(sent, received, time);
  for (const frame of frames) onFrame(frame, received);
}

export class Poll {
  #turn = 0;
  #abort = null;
  #failures = 0;
  #samples = 0;
  #sampledAt = -Infinity;

  /** `ask(body, signal)` resolves to {status, frames, retry_ms}, status 0 where there was no answer; `positions()` the
      wanted set; `onAnswer(frames, received)`; `onStatus(status)`; `later(fn, ms)`; `now()` monotonic ms; `clock`. */
  constructor({ ask, positions, onAnswer, onStatus, later, now, random, clock }) {
    Object.assign(this, { ask, positions, onAnswer, onStatus, later, now, random, clock, isRunning: false });
  }

  start() {
    Object.assign(this, { isRunning: true });
    this.#failures = 0;
    this.#samples = 0;
    this.again();
  }

  stop() {
    this.isRunning = false;
    this.#give();
  }

  /** The wanted set or a position changed: what is under way would answer another question. */
  again() {
    if (!this.isRunning) return;
    this.#give();
    this.#go(this.#turn);
  }

  #give() {
    this.#turn += 1;
    this.#abort?.abort();
    this.#abort = null;
  }

  async #go(turn) {
    if (turn !== this.#turn) return;
    const channels = this.positions();
    if (Object.keys(channels).length === 0) return; // a page without live parts; the next one asks again
    const sent = this.now(), isSample = this.#samples < SAMPLES || sent - this.#sampledAt >= SAMPLE_EVERY_MS;
    this.#abort = new AbortController();
    const body = { channels, wait_s: isSample ? 0 : WAIT_S, heartbeat: true };
    const { status, frames = [], retry_ms = 0 } = await this.ask(body, this.#abort.signal);
    if (turn !== this.#turn) return;
    const received = this.now();
    if (status === 200) {
      this.#failures = 0;
      if (isSample) this.#sample(sent, received, frames);
    }
    this.onStatus(status);
    if (status === 200 && turn === this.#turn) this.onAnswer(frames, received);
    if (turn === this.#turn) this.later(() => this.#go(turn), status === 200 ? EVERY_MS : this.#wait(retry_ms));
  }

  #sample(sent, received, frames) {
    const time = frames.find(({ op }) => op === 'heartbeat')?.server_time;
    if (time === undefined) return;
    this.#samples += 1;
    this.#sampledAt = received;
    this.clock.sample(sent, received, time);
  }

  #wait(floor_ms) {
    this.#failures += 1;
    return floor_ms + this.random() * Math.min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2 ** this.#failures);
  }
}
