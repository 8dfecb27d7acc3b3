/* The connection: keeps one good socket to the gateway, and knows why there is none. It never gives up: a screen on a
   wall comes back after any outage. Where upgrades fail though the server answers, a long poll takes the socket's
   place, and the socket is tried again from time to time.
   The socket belongs to the WebSocket component; we give it a url, watch it through the tap and write to it.
   Everything that it touches comes through the constructor, so that tests run it on a clock of their own. */

const BACKOFF_BASE_MS = 250, BACKOFF_CAP_MS = 15_000, LATER_MS = 5_000;
const OPEN_WITHIN_MS = 10_000, PROBE_WITHIN_MS = 2_500, PING_EVERY_MS = 10_000;
const FIRST_PINGS_MS = [0, 100, 250, 500, 1_000, 2_000, 4_000, 8_000]; // a page that loads answers late: ask again
const SILENT_HEARTBEATS = 2.5, LATE_TICK_MS = 600;
const BLOCKED_AFTER = 3; // upgrades that fail in a row though the session route answers 200
const PROBES_MS = [5_000, 15_000, 30_000, 60_000]; // how long a long poll goes on before the socket is tried again
const OPEN = 1; // WebSocket.OPEN

/** What a close code asks for: come back, come back later, or stay away. */
export function afterClose(code) {
  if (code === 4401) return 'signed_out';
  if (code === 4403) return 'forbidden';
  if (code === 4400) return 'refused';
  return code === 1013 || code === 4429 ? 'later' : 'retry';
}

/** Full jitter: anywhere between 0 and a bound that doubles with each attempt (AWS, "Exponential Backoff And Jitter"). */
export function backoff_ms(attempt, random, floor_ms = 0) {
  return floor_ms + random() * Math.min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2 ** attempt);
}

export class Connection {
  /** `socketUrl(n)` the url of attempt n; `setUrl(url)` gives it to the component; `askSession()` resolves to an HTTP
      status, 0 where there was no answer; `later(fn, ms)` a timer; `now()` monotonic ms; `isOnline()`; `poll` the
      long poll, {start, stop, again}, whose statuses come to `polled`. */
  constructor({ socketUrl, setUrl, askSession, later, now, random, isOnline, clock, poll, onOpen, onFrame, onChange }) {
    Object.assign(this, { socketUrl, setUrl, askSession, later, now, random, isOnline, clock, poll, onOpen, onFrame, onChange });
    this.state = 'idle'; // idle, connecting, open, waiting, polling, ended
    this.cause = null; // link, unreachable, gateway, full, signed_out, forbidden, refused
    this.cutAt = null;
    this.attempt = 0;
    this.opened = 0;
    this.socket = null;
    this.heartbeat_ms = 5_000;
    this.urls = 0;
    this.turn = 0;
    this.lastTick = null;
    this.greeted = false; // whether this socket said hello: one that opens and stays silent is blocked as well
    this.blocked = 0;
    this.probes = 0;
    this.canPoll = true;
  }

  get isPolling() { return this.state === 'polling'; }

  /** Asks the component for a new socket. */
  connect() {
    this.turn += 1;
    this.#become('connecting');
    this.startedAt = this.now();
    this.setUrl(this.socketUrl(this.urls += 1));
  }

  /** A socket of our path was made; only the newest counts. */
  adopt(socket) {
    Object.assign(this, { socket, startedAt: this.now(), greeted: false });
    socket.addEventListener('open', () => { if (socket === this.socket && !this.isPolling) this.#open(); });
    socket.addEventListener('close', (event) => { if (socket === this.socket) this.#lost(event.code); });
  }

  /** A frame from the tap; frames of a socket that we gave up are dropped. */
  frame(socket, frame) {
    if (socket !== this.socket) return;
    const now = this.now();
    this.heardAt = now;
    this.lateOnce = false;
    if (frame.op === 'hello') {
      Object.assign(this, { greeted: true, blocked: 0 });
      if (this.isPolling) this.#open();
      this.heartbeat_ms = frame.heartbeat_s * 1000;
      if (!this.clock.known) this.clock.sample(this.startedAt, now, frame.server_time);
    }
    if (this.state === 'open' && now >= this.pingAt) this.#ping(); // a hidden tab's timers run once a minute
    if (frame.op === 'pong') {
      this.probeBy = Infinity;
      this.clock.sample(frame.t, now, frame.server_time);
    }
    if (this.attempt > 0 && now - this.openedAt >= this.heartbeat_ms) this.attempt = 0;
    this.onFrame(frame, now);
  }

  /** Writes a message straight to the socket: the component drops equal and rapid ones. Returns whether it went out. */
  send(message) {
    if (this.socket?.readyState !== OPEN) return false;
    this.socket.send(JSON.stringify(message));
    return true;
  }

  /** Gives the socket up at once (a closing handshake may hang) and comes back by position. A long poll goes on from
      the positions that are held by then, whatever was wrong with an answer. */
  drop(reason) {
    if (this.isPolling) return;
    this.socket?.close(4000, reason);
    this.#lost(4000);
  }

  /** Stays away for good, for this reason. */
  end(cause) {
    this.socket?.close(4000, cause);
    this.socket = null;
    if (this.cutAt === null) this.cutAt = this.now();
    this.#become('ended', cause);
  }

  /** How the long poll fares: the HTTP status of an answer, 0 without one. */
  polled(status) {
    if (!this.isPolling) return;
    if (status === 401 || status === 403) return void this.end('signed_out');
    if (status === 200) Object.assign(this, { cutAt: null, cause: null });
    else Object.assign(this, { cutAt: this.cutAt ?? this.now(), cause: this.#causeOf(status) });
    if (status !== 404 && status !== 405) return void this.onChange();
    this.canPoll = false; // this server has none
    this.#wait(this.random() * BACKOFF_CAP_MS);
  }

  /** Something happened to the network or the tab: probe an open socket, cut a long wait short. */
  nudge() {
    if (this.isPolling) {
      if (this.socket === null) this.probeAt = this.now();
      this.poll.again();
    } else if (this.state === 'open') {
      this.probeBy = this.now() + PROBE_WITHIN_MS;
      this.#ping();
    } else if (this.state === 'waiting' && this.retryAt - this.now() > 1_000) this.#wait(this.random() * 500);
  }

  /** To be called a few times a second: watchdogs and pings. */
  tick() {
    const now = this.now();
    const late = this.lastTick !== null && now - this.lastTick > LATE_TICK_MS;
    this.lastTick = now;
    if (this.isPolling) return this.#tickPolling(now);
    if (this.state === 'connecting' && now - this.startedAt > OPEN_WITHIN_MS) this.drop('no answer');
    if (this.state !== 'open') return;
    if (late && !this.lateOnce) { // a frozen tab: frames that came meanwhile are still in the queue
      this.lateOnce = true;
      return;
    }
    if (now - this.heardAt > SILENT_HEARTBEATS * this.heartbeat_ms || now > this.probeBy) this.drop('silent');
    else if (now >= this.pingAt) this.#ping();
  }

  #tickPolling(now) {
    if (this.socket !== null && now - this.startedAt > OPEN_WITHIN_MS) {
      this.socket.close(4000, 'no answer');
      this.#lost(4000);
    } else if (this.socket === null && now >= this.probeAt) {
      this.probeAt = now + PROBES_MS.at(-1); // should the component make no socket
      this.startedAt = now;
      this.setUrl(this.socketUrl(this.urls += 1));
    }
  }

  #nextProbe() {
    const wait = PROBES_MS[Math.min(this.probes, PROBES_MS.length - 1)];
    this.probeAt = this.now() + wait * (0.75 + 0.5 * this.random());
    this.probes += 1;
  }

  #startPolling() {
    this.turn += 1;
    this.probes = 0;
    this.#nextProbe();
    this.#become('polling');
    this.poll.start();
  }

  #open() {
    const now = this.now();
    Object.assign(this, { openedAt: now, heardAt: now, probeBy: Infinity, pingAt: now + PING_EVERY_MS, lateOnce: false });
    this.opened += 1;
    this.#become('open');
    this.onOpen();
    const { socket } = this;
    for (const after of FIRST_PINGS_MS) this.later(() => { if (socket === this.socket) this.#ping(); }, after);
  }

  #ping() {
    const t = this.now();
    this.pingAt = t + PING_EVERY_MS;
    this.send({ op: 'ping', t });
  }

  #lost(code) {
    const wasGood = this.state === 'open' && this.greeted, then = afterClose(code);
    this.socket = null;
    if (this.isPolling && (then === 'retry' || then === 'later')) return this.#nextProbe();
    if (this.cutAt === null) this.cutAt = this.now();
    if (then !== 'retry' && then !== 'later') return this.#become('ended', then);
    const isBlind = code === 1006 || code === 4000;
    const cause = isBlind ? this.#causeOf(0) : 'gateway';
    this.cause = then === 'later' ? 'full' : cause;
    const wait = backoff_ms(this.attempt, this.random, then === 'later' ? LATER_MS : 0);
    this.attempt += 1;
    return wasGood || !isBlind ? this.#wait(wait) : this.#askAndWait(wait);
  }

  /** A browser hides the status of a refused upgrade; the session route tells it. */
  async #askAndWait(ms) {
    const turn = this.turn += 1;
    this.retryAt = Infinity;
    this.#become('waiting');
    const status = await this.askSession();
    if (turn !== this.turn) return;
    if (status === 401 || status === 403) return void this.#become('ended', 'signed_out');
    this.cause = this.#causeOf(status);
    if (status === 200) this.blocked += 1;
    if (this.canPoll && this.blocked >= BLOCKED_AFTER) this.#startPolling();
    else this.#wait(ms);
  }

  #causeOf(status) {
    if (status !== 0) return 'gateway';
    return this.isOnline() ? 'unreachable' : 'link';
  }

  #wait(ms) {
    const turn = this.turn += 1;
    this.retryAt = this.now() + ms;
    this.#become('waiting', this.cause);
    this.later(() => { if (turn === this.turn && this.state === 'waiting') this.connect(); }, ms);
  }

  #become(state, cause = this.cause) {
    if (this.isPolling && state !== 'polling') this.poll.stop();
    this.state = state;
    this.cause = state === 'open' ? null : cause;
    if (state === 'open') this.cutAt = null;
    if (state === 'ended') this.turn += 1;
    this.onChange();
  }
}
