/* Measuring: what this viewer experiences, by channel and page, for the contract: stages, the age of what is shown,
   clicks, first values and reconnects. A tab that nobody sees measures nothing. Everything that it touches comes
   through the constructor; times are monotonic ms unless said otherwise. */

const SECOND_MS = 1_000, SECONDS_MAX = 2; // a busy or sleeping page does not make up for seconds that it missed
const WAITING_FRAMES_MAX = 64;
const FRESH = new Set(['live', 'quiet']), UNKNOWN = new Set(['connecting', 'refused']);
const UPSTREAM = new Set(['source_silent', 'source_late', 'source_error', 'rejecting']);

export class Measuring {
  #changedAt = new Map(); // channel → when its last change came, as long as somebody looks
  #awaited = new Map(); // channel → since when its first value is waited for
  #clicks = new Map(); // interaction → its longest event
  #sampledAt = null;
  #cutAt = null;
  #counted = 0;
  #trip = 0;
  #shownPage = null;

  /** `telemetry` takes the figures; `clock` the server's; `isHidden()` the tab; `page()` its path; `isPolling()`;
      `onFrame(act)` asks for an animation frame. */
  constructor({ telemetry, clock, now, isHidden, page, isPolling, onFrame }) {
    Object.assign(this, { telemetry, clock, now, isHidden, page, isPolling, onFrame });
  }

  /** From a server's time to a moment here; NaN while the server's clock is not known well. */
  latency(serverTime, at) { return this.clock.isSettled ? this.clock.at(at) - serverTime : NaN; }

  /** A delta was applied. */
  applied({ channel, times }, received) {
    if (this.isHidden()) return;
    const changedAt = this.#changedAt.get(channel);
    this.#changedAt.set(channel, received);
    if (changedAt !== undefined) this.#note('update_interval', channel, received - changedAt);
    this.#stage('created_to_received', channel, this.latency(times?.created?.[0], received));
    this.#stage('sent_to_received', channel, this.latency(times?.sent, received));
    this.#note('received_to_applied', channel, this.now() - received);
  }

  /** Remembers a frame until the job that shows it has painted. */
  awaitPaint(job, { channel, epoch, after, seq, times }, received) {
    if (this.isHidden() || !job.seen || job.waiting.length >= WAITING_FRAMES_MAX) return;
    const frame = [epoch, after, seq];
    job.waiting.push({ channel, frame, created: times?.created?.[0], sent: times?.sent, received, applied: this.now() });
  }

  /** A job painted what it was waiting for. */
  painted(job, at) {
    for (const { channel, frame, created, sent, received, applied } of job.waiting?.splice(0) ?? []) {
      this.#sample(channel, frame, [sent, this.clock.at(received), this.clock.at(at)]);
      const whole = this.latency(created, at);
      if (job.group === 'chart' || job.group === 'painted') { // a few times a second at most, by intent
        this.#stage('created_to_charted', channel, whole);
        continue;
      }
      this.#stage('created_to_painted', channel, whole);
      this.#stage('received_to_painted', channel, at - received);
      this.#note('applied_to_painted', channel, at - applied);
      // of sent → received only what the pings show to be the network's: one way is half of a round trip
      const network = Math.min(Math.max(0, this.latency(sent, received)), this.#trip / 2);
      this.#note('painted_less_network', channel, whole - network);
    }
  }

  /** A ping came back after so long. */
  trip(ms) {
    this.#trip = ms;
    this.#note('round_trip', '', ms);
  }

  /** To be called several times a second, with the freshness of each channel on the page. */
  look(judged) {
    const at = this.now(), seconds = this.#sampledAt === null ? 0 : Math.floor((at - this.#sampledAt) / SECOND_MS);
    if (this.isHidden()) return void this.hide();
    if (this.#sampledAt !== null && seconds < 1) return;
    this.#sampledAt = seconds > SECONDS_MAX || this.#sampledAt === null ? at : this.#sampledAt + seconds * SECOND_MS;
    const times = Math.min(seconds, SECONDS_MAX);
    for (const [channel, fresh] of times > 0 ? Object.entries(judged) : []) this.#second(channel, fresh, times);
  }

  #second(channel, { state, cause, age_ms }, times) {
    if (UNKNOWN.has(state)) return;
    this.#note('view_second', channel, FRESH.has(state) ? 0 : SECOND_MS, times);
    const age = state === 'quiet' ? 0 : age_ms;
    if (age !== null) this.#note(UPSTREAM.has(cause) ? 'event_age_upstream' : 'event_age', channel, age, times);
  }

  /** The page shows these channels since `since`; one that Dash draws anew is the same page. */
  want(names, since) {
    if (this.page() !== this.#shownPage) this.#awaited.clear();
    this.#shownPage = this.page();
    for (const channel of names) if (!this.#awaited.has(channel)) this.#awaited.set(channel, this.isHidden() ? null : since);
  }

  /** Channels whose value is on the page now: the next animation frame shows it. */
  shown(names) {
    const fresh = [...new Set(names)].filter((name) => typeof this.#awaited.get(name) === 'number');
    if (fresh.length === 0) return;
    const waited = fresh.map((name) => [name, this.#awaited.get(name)]);
    for (const name of fresh) this.#awaited.set(name, null);
    this.onFrame(() => { for (const [name, since] of waited) this.#note('first_value', name, this.now() - since); });
  }

  /** An event of the Event Timing API: the longest of an interaction's events is what its user felt. */
  click({ interactionId, duration }) {
    if (interactionId > 0) this.#clicks.set(interactionId, Math.max(duration, this.#clicks.get(interactionId) ?? 0));
  }

  /** An interaction that was measured from its input to the next paint. */
  interaction(ms, times = 1) { this.#put('interaction', '', ms, times); }

  /** What waits to be counted goes into the report. `all` interactions of the page, where the browser counts them:
      those that it did not tell of were too short. */
  settle(all) {
    for (const ms of this.#clicks.values()) this.interaction(ms);
    const short = (all ?? 0) - this.#counted - this.#clicks.size;
    if (short > 0) this.interaction(0, short);
    this.#counted = all ?? 0;
    this.#clicks.clear();
  }

  /** The link was lost at that moment. */
  cut(at) { if (this.#cutAt === null && !this.isHidden()) this.#cutAt = at; }

  /** A frame proved that what is shown is complete and of now. */
  proven() {
    if (this.#cutAt === null) return;
    this.#note('reconnect', '', this.now() - this.#cutAt);
    this.#cutAt = null;
  }

  /** Nobody looks any more: what was under way is measured by nobody. */
  hide() {
    this.#sampledAt = null;
    this.#cutAt = null;
    this.#changedAt.clear();
    for (const channel of this.#awaited.keys()) this.#awaited.set(channel, null);
  }

  /** So that single events can be followed to the screen: some of the frames, with the server's times. */
  #sample(channel, [epoch, after, seq], times) {
    if (!this.clock.isSettled || !times.every(Number.isFinite)) return;
    this.telemetry.sample([channel, this.page(), epoch, after, seq, ...times.map(Math.round)]);
  }

  #stage(stage, channel, ms) {
    this.telemetry.observe(stage, ms);
    this.#note(stage, channel, ms);
  }

  #note(stage, channel, ms, times = 1) { if (!this.isHidden()) this.#put(stage, channel, ms, times); }

  #put(stage, channel, ms, times) {
    this.telemetry.note([stage, channel, this.page(), this.isPolling() ? 'poll' : 'socket'], ms, times);
  }
}

/** Tells `measuring` of clicks and keys: by the Event Timing API where there is one, else by the next animation frame. */
export function watchInteractions(scope, measuring) {
  const Observer = scope.PerformanceObserver;
  if (Observer?.supportedEntryTypes?.includes('event')) {
    new Observer((list) => list.getEntries().forEach((entry) => measuring.click(entry)))
      .observe({ type: 'event', durationThreshold: 16, buffered: true });
    return;
  }
  for (const type of ['click', 'keydown']) {
    scope.addEventListener(type, ({ timeStamp }) => {
      scope.requestAnimationFrame(() => scope.setTimeout(() => measuring.interaction(measuring.now() - timeStamp), 0));
    }, { capture: true, passive: true });
  }
}
