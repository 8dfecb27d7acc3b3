/* Freshness: what the badges and the banner say: state, age, cause and since when.
   The gateway judges live, quiet, late and stale; only the viewer can tell that its own link is cut. Pure but for
   formatting: every time comes in, server times in ms since the epoch. */

import { clock, duration, number, zonedClock } from './format.mjs';

export const GRACE_MS = 1_000; // a link that comes back within this time is not worth a banner
const TOO_SLOW = 'this viewer or its link is too slow for every frame; frames are merged and no change is lost';
const SAME_TEXT_MS = 5_000; // a banner that is read out must not change all the time
const AGES_EVERY_MS = 1_000;
const SEVERITY = ['live', 'quiet', 'connecting', 'refused', 'late', 'stale', 'offline'];
const CAUSE_ORDER = [
  'signed_out', 'forbidden', 'refused', 'link', 'unreachable', 'gateway', 'full',
  'broker_down', 'worker_down', 'source_error', 'source_silent', 'backlog', 'source_late', 'rejecting',
];
const CAUSES = {
  link: 'your connection is down',
  unreachable: 'the server does not answer',
  gateway: 'the server is restarting or refuses live connections',
  full: 'the server has no room for another viewer',
  signed_out: 'you are signed out; sign in again',
  forbidden: 'you may no longer see this page',
  refused: 'the server does not understand this page; reload it',
  broker_down: 'the broker cannot be reached',
  worker_down: 'the worker that computes the values is down',
  source_error: 'the source reports an error',
  source_silent: 'the source gives no sign of life',
  source_late: 'the source is late',
  rejecting: 'records of the source are being rejected',
  backlog: 'events wait to be processed',
};

const SHORT = {
  link: 'your link', unreachable: 'no answer', gateway: 'gateway', full: 'server full', signed_out: 'signed out',
  forbidden: 'forbidden', refused: 'reload', broker_down: 'broker down', worker_down: 'worker down', source_error: 'source error',
  source_silent: 'source silent', source_late: 'source late', rejecting: 'rejecting',
};

/** A cause in words, with the server's detail where it gives one. */
export function causeInWords(cause, detail) {
  const words = CAUSES[cause] ?? cause;
  return detail && cause !== 'backlog' ? `${words} (${detail})` : words;
}

/** The link as this viewer sees it at a monotonic time; `wall` is the wall clock's. */
export function linkOf({ cutAt, cause, state, isPolling }, at, wall) {
  const isCut = state === 'ended' || (cutAt !== null && at - cutAt >= GRACE_MS);
  return { isCut, isPolling, cause, since: isCut && cutAt !== null ? Math.round(wall - (at - cutAt)) : null };
}

/** The freshness of one channel now: {state, cause, detail, since, age_ms, backlog, rate_hz, createdAt}. */
export function judge(channel, told, link, now) {
  const age_ms = channel.createdAt === null || Number.isNaN(now) ? null : Math.max(0, now - channel.createdAt);
  const common = { age_ms, createdAt: channel.createdAt, backlog: 0 };
  if (link.isCut) return { ...common, state: 'offline', cause: link.cause, since: link.since };
  if (channel.refused !== null) return { ...common, state: 'refused', cause: null, since: null };
  if (channel.state === null || told === undefined) return { ...common, state: 'connecting', cause: null, since: null };
  const { state, cause = null, detail, since = null, backlog = 0, rate_hz } = told;
  return { ...common, state, cause, detail, since, backlog, rate_hz };
}

/** The badge's short text, with the cause in a word or two where something is wrong. */
export function badgeText({ state, cause, age_ms, rate_hz, since, backlog }) {
  if (state === 'refused') return 'not available';
  if (state === 'connecting') return state;
  const why = cause === 'backlog' ? `, ${number(backlog, 0)} behind` : cause ? `, ${SHORT[cause] ?? cause}` : '';
  if (state === 'offline') return `offline${since ? ` since ${clock(since)}` : ''}${why}`;
  const age = age_ms === null ? '' : ` ${duration(age_ms)}`;
  return `${state}${age}${why}${rate_hz ? `, reduced to ${number(rate_hz, null)} Hz` : ''}`;
}

/** The badge's lines about now. */
export function badgeDetail(fresh) {
  const { state, cause, detail, since, backlog, createdAt, rate_hz } = fresh;
  const why = cause ? `: ${causeInWords(cause, detail)}` : '';
  const lines = [
    createdAt === null ? 'No event yet' : `Last event ${zonedClock(createdAt)}`,
    `State ${state}${since ? ` since ${clock(since)}` : ''}${why}`,
  ];
  if (backlog > 0) lines.push(`${number(backlog, 0)} events behind`);
  if (rate_hz) lines.push(`Reduced to ${number(rate_hz, null)} Hz: ${TOO_SLOW}`);
  return lines.join('\n');
}

/** What a component says that shows several channels: of the least fresh of those that are known. */
export function worstOf(channels, names) {
  const known = names.flatMap((name) => channels?.[name] ?? []);
  return known.reduce((a, b) => (SEVERITY.indexOf(b.state) > SEVERITY.indexOf(a.state) ? b : a), known[0]);
}

const rank = (fresh) => SEVERITY.indexOf(fresh.state) * 100 - CAUSE_ORDER.indexOf(fresh.cause);

/** The banner for the channels of a page: {state, key, text, said}; an empty text where all is well and nothing is to
    be disclosed. `said` is what of it is read out: without the figures that grow. */
export function bannerOf(channels, isPolling = false) {
  const all = Object.entries(channels);
  if (all.length === 0) return { state: 'live', key: 'live', text: '', said: '' };
  const [, worst] = all.reduce((a, b) => (rank(b[1]) > rank(a[1]) ? b : a));
  const alike = all.filter(([, fresh]) => fresh.state === worst.state && fresh.cause === worst.cause);
  const state = worst.state === 'quiet' || worst.state === 'refused' ? 'live' : worst.state;
  if (!['late', 'stale', 'offline'].includes(state)) {
    const text = noteOf(all.map(([, fresh]) => fresh), isPolling);
    return { state, key: text === '' ? state : `${state}: ${text}`, text, said: text };
  }
  const feeds = [...new Set(alike.map(([name]) => name.split('.')[0]))].sort();
  const since = Math.min(...alike.map(([, fresh]) => fresh.since ?? Infinity));
  const key = [state, worst.cause, feeds, since].join();
  const text = bannerText(state, alike.map(([, fresh]) => fresh), feeds, since);
  return { state, key, text, said: worst.cause === 'backlog' ? `Live feed delayed, ${CAUSES.backlog} (${feeds.join(', ')}).` : text };
}

/** What a reader has to know although all is well: less often than usual, or in another way. */
function noteOf(all, isPolling) {
  const slowest = Math.min(...all.map(({ rate_hz }) => rate_hz ?? Infinity));
  const notes = [];
  if (isPolling) notes.push('Updates by long poll, at most four a second: WebSockets are blocked here.');
  if (slowest < Infinity) notes.push(`Reduced to ${number(slowest, null)} Hz: ${TOO_SLOW}.`);
  return notes.join(' ');
}

/** The state of the link in a few words. */
export function linkText(state, isPolling) {
  const word = state.charAt(0).toUpperCase() + state.slice(1);
  return isPolling ? `${word} by long poll` : word;
}

function bannerText(state, alike, feeds, since) {
  const { cause, detail } = alike[0], when = Number.isFinite(since) ? ` since ${zonedClock(since)}` : '';
  const age = Math.max(...alike.map(({ age_ms }) => age_ms ?? 0)), behind = Math.max(...alike.map(({ backlog }) => backlog));
  const which = feeds.join(', '), kept = 'The last values stay visible.';
  if (state === 'offline') return `Offline${when}: ${causeInWords(cause, detail)}. ${kept}`;
  if (cause === 'backlog') return `Live feed delayed by ${duration(age)}, ${number(behind, 0)} events behind${when} (${which}).`;
  const why = cause ? `: ${causeInWords(cause, detail)}` : '';
  return `${state === 'stale' ? 'Stale' : 'Late'}${when}, ${which}${why}. ${kept}`;
}

/** Gathers what heartbeats tell and says what is to be shown, at most as often as it may change. */
export class Watch {
  #told = new Map();
  #shown = '';
  #states = '';
  #agesAt = -Infinity;
  #banner = { key: null, text: '', said: '', at: -Infinity };

  heartbeat(channels) {
    for (const [name, told] of Object.entries(channels)) this.#told.set(name, told);
  }

  /** The freshness of each channel now, as `judge` says it. */
  judged(wanted, link, now) {
    return Object.fromEntries(wanted.map((channel) => [channel.name, judge(channel, this.#told.get(channel.name), link, now)]));
  }

  /** What to show now, or null where nothing differs. `link` {isCut, isPolling, cause, since}; `now` server time; `at` monotonic. */
  look(wanted, link, now, at) {
    const judged = this.judged(wanted, link, now);
    for (const name of this.#told.keys()) if (!(name in judged)) this.#told.delete(name);
    const states = JSON.stringify(Object.entries(judged).map(([name, { state, cause }]) => [name, state, cause]));
    if (states === this.#states && at - this.#agesAt < AGES_EVERY_MS) return null;
    this.#states = states;
    this.#agesAt = at;
    const channels = {};
    for (const [name, fresh] of Object.entries(judged)) {
      channels[name] = { state: fresh.state, text: badgeText(fresh), detail: badgeDetail(fresh) };
    }
    const banner = this.#calm(bannerOf(judged, link.isPolling), at);
    const shown = { channels, banner: { ...banner, link: linkText(banner.state, link.isPolling && !link.isCut) } };
    const text = JSON.stringify(shown);
    if (text === this.#shown) return null;
    this.#shown = text;
    return shown;
  }

  #calm(banner, at) {
    if (banner.key !== this.#banner.key || at - this.#banner.at >= SAME_TEXT_MS) {
      this.#banner = { ...banner, at };
    }
    return { state: banner.state, text: this.#banner.text, said: this.#banner.said };
  }
}
