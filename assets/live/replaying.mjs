/* Replaying: a page that shows a past interval. It fetches what a player asks for, puts the frames into the page's store
   in the live ones' place, marks the whole page, and lets the bar act. Of such a page nothing is measured. */

import { clock as clockTime, zonedClock } from './format.mjs';
import { askForMarks } from './incidents.mjs';
import { watchLookBack } from './replay_dialog.mjs';
import { Player, replayAsked } from './replay.mjs';
import { ReplayBar } from './replay_bar.mjs';

const TICK_MS = 50, ADDRESS_EVERY_MS = 1_000, INCIDENTS_DAYS = 30;
const TRIES = 4, RETRY_MS = 1_000;
const DAY_MS = 86_400_000;
const WORDS = { recorded: 'replay', recomputed: 'replay, recomputed', none: 'not recorded' };
const DETAILS = {
  recorded: 'as it was recorded',
  recomputed: 'recomputed: no changes are kept of that time, so its events are folded by the present declaration',
  none: 'neither changes nor events are kept of that time',
};

/** The replay that the page's address asks for; null where the page is live, and may be looked back from. */
export function replayOf(parts) {
  const asked = replayAsked(parts.scope.location.search, Date.now());
  if (asked === null) watchLookBack(parts.scope);
  return asked && new Replaying({ ...parts, asked });
}

/** The server's time in a replay: the one that is shown. Stands in the place of `ServerClock`. */
class ReplayClock {
  best = { trip: 0, offset: NaN };
  known = true;
  isSettled = false;

  constructor(player) { this.player = player; }

  at() { return this.player.at; }

  sample() {}

  checkSleep() { return false; }
}

export class Replaying {
  #names = '';
  #addressAt = 0;
  #shownHow = '';

  /** `asked` {from, until, speed}; `onFrame(frame)` applies one; `onShown()` after what is shown has changed. */
  constructor({ asked, store, scope, now, onFrame, onShown }) {
    Object.assign(this, { store, scope, now, onFrame, onShown, incidentsKnown: [] });
    this.player = new Player({
      ask: askForFrames, show: (frames, isFresh) => this.#show(frames, isFresh), now, onChange: () => this.#changed(),
      from: asked.from, end: asked.until,
    });
    this.player.speed = asked.speed;
    this.clock = new ReplayClock(this.player);
    scope.document.documentElement.dataset.replay = '';
    this.bar = new ReplayBar({ player: this.player, scope, leave: () => this.leave(), go: (at, until) => this.go(at, until) });
    this.incidents = async () => this.incidentsKnown.filter(({ began_at: began }) => began <= this.player.at);
  }

  start() {
    setInterval(() => this.player.tick(), TICK_MS);
    void this.#learnIncidents();
  }

  /** The page shows these channels now. */
  want(names) {
    const told = JSON.stringify([...names].sort());
    if (told === this.#names) return;
    this.#names = told;
    void this.player.seek(this.player.at, [...names]);
  }

  /** What badges, banner and link say, in the form that `Watch` gives. */
  freshness(wanted) {
    const channels = {}, at = zonedClock(this.player.at);
    for (const { name } of wanted) {
      const how = this.player.how(name), gap = this.player.gapOf(name);
      const missing = gap ? `\nChanges are missing from ${clockTime(gap.since)} to ${clockTime(gap.until)}` : '';
      channels[name] = how === undefined
        ? { state: 'replay', text: 'replay, loading', detail: 'Not live: a past time is being loaded' }
        : { state: 'replay', text: gap ? `${WORDS[how]}, with a gap` : WORDS[how], detail: `Not live: shown as of ${at}, ${DETAILS[how]}${missing}` };
    }
    return { channels, banner: { state: 'replay', text: '', link: 'Replay, not live' } };
  }

  /** Shows another time; where it lies outside of the interval, the interval moves there. */
  go(at, until = null) {
    const { player } = this;
    if (until !== null) player.end = Math.max(at + 1_000, Math.min(until, Date.now()));
    if (at < player.from || until !== null) player.from = at;
    return player.seek(at);
  }

  /** How what is taken away stands: it is of a past time, whatever the replay does. */
  standing() { return { shown: 'replay', at: this.player.at, taken: Date.now() }; }

  /** Back to live, on the same page, and not to a pause of before. */
  leave() {
    const url = new URL(this.scope.location.href);
    for (const name of ['replay', 'until', 'speed', 'paused']) url.searchParams.delete(name);
    this.scope.location.assign(url.href);
  }

  #show(frames, isFresh) {
    if (isFresh) this.store.rewind();
    for (const frame of frames) this.onFrame(frame);
  }

  #changed() {
    const { player } = this;
    this.bar?.draw();
    const how = JSON.stringify([player.channels.map((name) => [player.how(name), player.gapOf(name)?.until]), Math.floor(player.at / 1_000)]);
    if (how !== this.#shownHow) this.onShown();
    this.#shownHow = how;
    if (player.isPlaying && this.now() - this.#addressAt < ADDRESS_EVERY_MS) return;
    this.#addressAt = this.now();
    this.#address();
  }

  /** The address leads back to what is shown, whoever opens it. */
  #address() {
    const { location, history } = this.scope, url = new URL(location.href), { player } = this;
    url.searchParams.set('replay', new Date(player.at).toISOString());
    url.searchParams.set('until', new Date(player.end).toISOString());
    if (player.speed === 1) url.searchParams.delete('speed');
    else url.searchParams.set('speed', player.speed);
    if (url.href !== location.href) history.replaceState(history.state, '', url.href);
  }

  async #learnIncidents() {
    const { end } = this.player;
    this.incidentsKnown = await askForMarks({ since: end - INCIDENTS_DAYS * DAY_MS, until: Math.max(end, Date.now()) }) ?? [];
    this.bar.offer(this.incidentsKnown.filter(({ mark }) => mark === undefined));
  }
}

/** Asks for a channel's frames; a server that has much to do is asked again. Rejects with words. */
export async function askForFrames(channel, { since, until, after }, signal) {
  const position = after ? `&after=${encodeURIComponent(`${after.epoch}:${after.seq}`)}` : '';
  const url = `/api/channels/${encodeURIComponent(channel)}/recorded?since=${Math.floor(since)}&until=${Math.ceil(until)}${position}`;
  for (let tries = 1; ; tries += 1) {
    const answer = await fetch(url, { signal });
    if (answer.ok) return answer.json();
    const { error, detail } = await answer.json().catch(() => ({}));
    if (answer.status === 404) return { how: 'none', frames: [], gaps: [], complete_until: until };
    if (answer.status !== 503 || tries === TRIES) throw new Error(detail ?? error ?? `the archive answers ${answer.status}`);
    await new Promise((next) => { setTimeout(next, RETRY_MS * tries); });
  }
}
