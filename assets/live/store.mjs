/* The store: what this viewer knows of each channel, at which position, and what changed since it was last asked.
   Frames are applied exactly as the protocol says: a gap-free, duplicate-free prefix of one (epoch, seq) sequence.
   No DOM, no socket. */

import { stateOf } from './state.mjs';

const LEFT_MAX = 20; // channels of pages left behind that keep their state, to come back by position
const LEFT_MS = 90_000; // the broker keeps deltas for 120 s; an older position would only cost a snapshot
const KEYS_MAX = 5_000; // more changed keys than this are "everything"
const PAST_MAX = 8; // epochs that a channel has left and does not return to
const GAPS_MAX = 2, GAPS_MAX_PAST = 6; // so many gaps at one position mean: a snapshot, whatever it is

/** Outcomes of a frame. A gap means: close, reconnect and recover by position. */
export const APPLIED = 'applied';
export const DUPLICATE = 'duplicate';
export const IGNORED = 'ignored';
export const GAP = 'gap';

export class Store {
  #channels = new Map();
  #changes = new Map();

  /** Makes `names` the wanted set; returns whether it differs from the former one. `now` in ms, any clock. */
  want(names, now) {
    const wanted = new Set(names);
    let changed = false;
    for (const channel of this.#channels.values()) {
      if (!channel.wanted || wanted.has(channel.name)) continue;
      Object.assign(channel, { wanted: false, leftAt: now });
      this.#changes.delete(channel.name);
      changed = true;
    }
    for (const name of wanted) {
      const channel = this.#channels.get(name) ?? this.#add(name);
      if (channel.wanted) continue;
      Object.assign(channel, { wanted: true, settled: false, awaitedSince: now, refused: null });
      if (channel.state !== null) this.#changes.set(name, true);
      changed = true;
    }
    this.#forgetLeft(now);
    return changed;
  }

  /** The wanted set as `subscribe` carries it: a position to recover from, or null for a snapshot. */
  positions() {
    return Object.fromEntries(this.wanted().map(({ name, position }) => [name, position && { ...position }]));
  }

  /** A new connection: nothing of a former one can still arrive, so a known position must continue exactly. */
  connected(now) {
    for (const channel of this.wanted()) {
      Object.assign(channel, { settled: channel.position !== null, awaitedSince: now, refused: null });
    }
  }

  /** Another time is to be shown: what comes next may be of any epoch and position. */
  rewind() {
    for (const channel of this.wanted()) Object.assign(channel, { position: null, past: [], settled: false, gapAt: null, gaps: 0 });
  }

  /** Applies a snapshot or delta frame that came at `received`; returns APPLIED, DUPLICATE, IGNORED or GAP. */
  apply(frame, received = null) {
    const channel = this.#channels.get(frame.channel);
    if (channel === undefined || !channel.wanted) return IGNORED;
    if (isPast(channel, frame.epoch)) return IGNORED;
    const outcome = frame.op === 'snapshot' ? judgeSnapshot(channel, frame) : judgeDelta(channel, frame);
    if (outcome === GAP) this.#gap(channel);
    if (outcome !== APPLIED) return outcome;
    const changed = frame.op === 'snapshot' ? load(channel, frame) : channel.state.apply(frame.data);
    moveTo(channel, frame);
    noteTimes(channel, frame);
    channel.arrived = { times: frame.times ?? {}, received, painted: {} };
    this.#note(channel.name, changed);
    return APPLIED;
  }

  /** Compares a heartbeat with our positions; returns the channels of which we missed something. */
  check(channels, now, patience_ms) {
    const missed = [];
    for (const channel of this.wanted()) {
      if (channel.refused === null && isMissing(channel, channels[channel.name], now, patience_ms)) missed.push(channel);
    }
    for (const channel of missed) this.#gap(channel, isPast(channel, channels[channel.name]?.epoch) ? GAPS_MAX_PAST : GAPS_MAX);
    return missed.map((channel) => channel.name);
  }

  /** A component was mounted that may have missed what is known already: everything of these channels is a change. */
  renew(names) {
    for (const name of names) if (this.#channels.get(name)?.state) this.#changes.set(name, true);
  }

  /** Components of a group (`text`, `chart`, `changes`) have painted what a channel holds: the first time counts. */
  painted(name, group, at) {
    const arrived = this.#channels.get(name)?.arrived;
    if (arrived) arrived.painted[group] ??= at;
  }

  /** The gateway refused a channel; it is no longer awaited. */
  refuse(name, code) {
    const channel = this.#channels.get(name);
    if (channel !== undefined) channel.refused = code;
  }

  /** What changed since the last call, as {channel: [keys] or true for everything}; null where nothing did. */
  takeChanges() {
    if (this.#changes.size === 0) return null;
    const taken = this.#changes;
    this.#changes = new Map();
    return Object.fromEntries([...taken].map(([name, keys]) => [name, keys === true ? true : [...keys]]));
  }

  get hasChanges() { return this.#changes.size > 0; }

  /** The channel with its live state, for painters; undefined where nothing is known. Not to be changed. */
  get(name) { return this.#channels.get(name); }

  /** The values of a field in the rows and entries of the wanted channels. */
  valuesOf(field) {
    const held = this.wanted().flatMap(({ state }) => [...(state?.rows?.values() ?? []), ...(state?.entries ?? [])]);
    return new Set(held.flatMap((row) => (row[field] === undefined || row[field] === null ? [] : [String(row[field])])));
  }

  wanted() { return [...this.#channels.values()].filter((channel) => channel.wanted); }

  #add(name) {
    const channel = {
      name, kind: null, state: null, position: null, createdAt: null, arrived: null, wanted: false, settled: false,
      awaitedSince: 0, gapAt: null, gaps: 0, past: [], refused: null, leftAt: 0,
    };
    this.#channels.set(name, channel);
    return channel;
  }

  /** Repeated gaps at the same position will not heal by recovering from it: ask for a snapshot. A server that is
      still in a past epoch gets more time to follow; should that epoch have come back for good, it is taken then. */
  #gap(channel, most = GAPS_MAX) {
    const at = channel.position && `${channel.position.epoch}:${channel.position.seq}`;
    channel.gaps = at === channel.gapAt ? channel.gaps + 1 : 1;
    channel.gapAt = at;
    if (channel.gaps >= most) channel.position = null;
  }

  #note(name, changed) {
    const known = this.#changes.get(name);
    if (known === true) return;
    const keys = known ?? new Set();
    if (changed !== true) for (const key of changed) keys.add(key);
    this.#changes.set(name, changed === true || keys.size > KEYS_MAX ? true : keys);
  }

  #forgetLeft(now) {
    const left = [...this.#channels.values()].filter((channel) => !channel.wanted).sort((a, b) => b.leftAt - a.leftAt);
    left.forEach((channel, rank) => {
      if (rank >= LEFT_MAX || now - channel.leftAt > LEFT_MS) this.#channels.delete(channel.name);
    });
  }
}

/** Whether a channel has left this epoch: frames of it come from a server that is behind, and would go back in time. */
const isPast = ({ position, past }, epoch) => position !== null && past.includes(epoch);

function moveTo(channel, { epoch, seq }) {
  const { position, past } = channel;
  if (position !== null && position.epoch !== epoch) channel.past = [...past, position.epoch].slice(-PAST_MAX);
  else if (past.includes(epoch)) channel.past = past.filter((one) => one !== epoch);
  Object.assign(channel, { position: { epoch, seq }, settled: true, gapAt: null, gaps: 0 });
}

function judgeSnapshot({ position, settled }, frame) {
  if (position === null || position.epoch !== frame.epoch || frame.seq > position.seq) return APPLIED;
  return settled || frame.seq < position.seq ? DUPLICATE : APPLIED;
}

function judgeDelta({ position, settled }, frame) {
  if (position === null) return IGNORED;
  if (position.epoch === frame.epoch && frame.seq <= position.seq) return DUPLICATE;
  if (position.epoch === frame.epoch && frame.after === position.seq) return APPLIED;
  return settled ? GAP : IGNORED;
}

function isMissing(channel, told, now, patience_ms) {
  const { position } = channel;
  if (told !== undefined && position !== null && told.epoch === position.epoch && told.seq <= position.seq) {
    channel.settled = true;
    return false;
  }
  if (told?.behind) return false;
  if (channel.settled && told !== undefined) return true;
  return !channel.settled && now - channel.awaitedSince > patience_ms;
}

function load(channel, frame) {
  channel.kind = frame.kind;
  channel.state = stateOf(frame.kind, frame.keep);
  channel.state.load(frame.data);
  return true;
}

function noteTimes(channel, { op, times }) {
  const newest = times?.created?.[1] ?? null;
  if (op === 'snapshot') channel.createdAt = newest;
  else if (newest !== null) channel.createdAt = Math.max(channel.createdAt ?? 0, newest);
}
