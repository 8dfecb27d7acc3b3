/* Pause: what is held, since when, and how far behind it is. While something is paused, the store goes on: nothing is
   missed, nothing is queued, and a held channel costs one copy of its state, however long it is held. How many updates
   are behind is counted by positions, so that merged frames and resyncs count as what they stand for. Pure. */

/** Channels as they were at one moment, and how far each has moved since then. */
export class Freeze {
  #copies = new Map(); // channel → as the store has it, and as it was
  #moves = new Map(); // channel → {epoch, from, to, passed, starts}
  #awaited = new Set(); // channels that had no state at the moment

  /** `since` is the moment in ms since the epoch; `by` who paused for everybody, '' where its reader did. */
  constructor(since, by = '') { Object.assign(this, { since, by }); }

  /** "Paused 14:02:11", in words for people; `clock` writes a moment. */
  inWords(clock) { return `Paused ${clock(this.since)}${this.by ? ` for everybody by ${this.by}` : ''}`; }

  /** Takes a channel of the store, once, as it is now; returns whether there was something to take. */
  take(channel) {
    if (!channel?.state || this.#copies.has(channel.name)) return false;
    return this.#copy(channel);
  }

  /** Takes a channel that had no state at the moment; again with what came in after it and was committed up to then, as
      a first snapshot may be of a little earlier. Returns whether there was something to take. */
  takeAwaited(channel) {
    if (this.take(channel)) return Boolean(this.#awaited.add(channel.name));
    return this.#awaited.has(channel.name) && channel.arrived?.times.processed <= this.since && this.#copy(channel);
  }

  #copy(channel) {
    const { name, kind, state, position, createdAt, arrived } = channel;
    this.#copies.set(name, { name, kind, state: state.copy(), position, createdAt, arrived });
    if (position !== null) this.#moves.set(name, moveFrom(position));
    return true;
  }

  /** A channel as it was; undefined where it was not taken. */
  get(name) { return this.#copies.get(name); }

  /** A taken channel has another position now. */
  moved({ name, position }) {
    if (!this.#copies.has(name) || position === null) return;
    const move = this.#moves.get(name);
    if (move === undefined) this.#moves.set(name, moveFrom(position));
    else if (move.epoch === position.epoch) move.to = position.seq;
    else Object.assign(move, moveFrom(position), { passed: move.passed + move.to - move.from, starts: move.starts + 1 });
  }

  /** How far behind these channels are: {updates, starts}. A new start (another epoch) has counted anew, and what it
      left out between the last update seen before it and its first snapshot is not known to anybody. */
  behind(names) {
    const moves = [...new Set(names)].flatMap((name) => this.#moves.get(name) ?? []);
    const sum = (part) => moves.reduce((total, move) => total + part(move), 0);
    return { updates: sum(({ passed, from, to }) => passed + to - from), starts: sum(({ starts }) => starts) };
  }
}

const moveFrom = ({ epoch, seq }) => ({ epoch, from: seq, to: seq, passed: 0, starts: 0 });

/** Pauses for everybody, as heartbeats tell them: each component is held once for each, so that a reader who resumes it
    sees it live. */
export class Common {
  #known = new WeakMap(); // component → {since, freeze}

  /** What is to be done for a component that shows these channels: {hold: {by, since}}, {release: freeze}, or nothing.
      `told` is what the heartbeat says, by channel. */
  next(component, channels, told) {
    if (!channels.some((name) => name in told)) return {};
    const paused = channels.map((name) => told[name]?.paused).find(Boolean), known = this.#known.get(component);
    if (paused) return known?.since === paused.since ? {} : { hold: paused };
    this.#known.delete(component);
    return known ? { release: known.freeze } : {};
  }

  /** It was held, by this freeze; again it is not for the same pause. */
  held(component, { since }, freeze) { this.#known.set(component, { since, freeze }); }
}

/** Which components are held, by which freeze: one of their own, or the page's. */
export class Pause {
  #held = new Map(); // component → {freeze, channels, grid}
  page = null; // the freeze of the whole page, while it is paused

  get size() { return this.#held.size; }

  get components() { return [...this.#held.keys()]; }

  isHeld(component) { return this.#held.has(component); }

  /** The freeze that a component is held by; undefined where it is live. */
  of(component) { return this.#held.get(component)?.freeze; }

  /** The freeze of the component in which this grid is. */
  ofGrid(uid) {
    for (const { freeze, grid } of this.#held.values()) if (grid === uid) return freeze;
    return undefined;
  }

  /** Holds a component that shows these channels (names) as `freeze` has them or, at first, as the store does. */
  hold(component, { channels, grid }, freeze, store) {
    if (this.#held.has(component)) return;
    for (const name of channels) freeze.take(store.get(name));
    this.#held.set(component, { freeze, channels, grid });
  }

  release(component) { this.#held.delete(component); }

  /** A channel was changed in the store; returns the held components that have their first value by it. */
  moved(channel) {
    const showing = [...this.#held].filter(([, { channels }]) => channels.includes(channel.name));
    const taken = new Set();
    for (const freeze of new Set(showing.map(([, held]) => held.freeze))) {
      if (freeze.takeAwaited(channel)) taken.add(freeze);
      else freeze.moved(channel);
    }
    return showing.filter(([, { freeze }]) => taken.has(freeze)).map(([component]) => component);
  }

  /** How far behind a component is, or, without one, the page as a whole. */
  behind(component = null) {
    if (component !== null) return this.of(component).behind(this.#held.get(component).channels);
    const ofPage = [...this.#held.values()].filter(({ freeze }) => freeze === this.page);
    return this.page.behind(ofPage.flatMap(({ channels }) => channels));
  }
}

/** "214 updates behind", with the new starts meanwhile. */
export function behindInWords({ updates, starts }, format) {
  const counted = `${format(updates)} ${updates === 1 ? 'update' : 'updates'} behind`;
  if (starts === 0) return counted;
  return `${counted} and ${starts === 1 ? 'a new start' : `${format(starts)} new starts`}`;
}
