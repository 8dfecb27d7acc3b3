/* The module that acts: wires socket, store, painters and Dash together. All the others are rules without effects
   of their own; this one reads the page, the clock and the network. */

import { ServerClock } from './clock.mjs';
import { Connection } from './connection.mjs';
import { watchBadges } from './badges.mjs';
import { Watch, linkOf } from './freshness.mjs';
import { Grids } from './grid.mjs';
import { paintChart, readPalette } from './chart.mjs';
import { Incidents } from './incidents.mjs';
import { paintLog } from './log.mjs';
import { Measuring, watchInteractions } from './measuring.mjs';
import { Job, PaintLoop } from './paint.mjs';
import { Poll, askForChanges, sendReport } from './poll.mjs';
import { readEarly, setProps } from './props.mjs';
import { PROTOCOL, Release } from './release.mjs';
import { APPLIED, DUPLICATE, GAP, Store } from './store.mjs';
import { installTap } from './tap.mjs';
import { Telemetry } from './telemetry.mjs';
import { Theme } from './theme.mjs';
import { paintTile } from './tile.mjs';

const PATH = '/live', SOCKET = 'live-socket', CHANGES = 'live-changes', FRESHNESS = 'live-freshness';
const TICK_MS = 250, REPORT_MS = 10_000, RESCAN_FRAMES = 120;
const PROPS_MS = 50; // a clientside callback costs 2 to 20 ms, by the size of the page
const PAINTERS = { tile: paintTile, chart: paintChart, log: paintLog };
const dash = window.dash_clientside;
const now = () => performance.now();

const store = new Store(), clock = new ServerClock(), watch = new Watch(), telemetry = new Telemetry();
const measuring = new Measuring({
  telemetry, clock, now, isHidden: () => document.hidden, page: () => location.pathname,
  isPolling: () => connection.isPolling, onFrame: (act) => requestAnimationFrame(act),
});
const loop = new PaintLoop({ scope: window, now, isHidden: () => document.hidden, onPainted });
const release = new Release({ own: import.meta.url, scope: window, wall: Date.now });
const bound = new Map(); // element → {job, channels}
let expected = []; // ids of the badges that Dash says are on the page
const VIEWER = Math.random().toString(36).slice(2); // stands for this page where there is no socket
let props = 0;
let reportAt = now() + REPORT_MS;
let isStarted = false;
let wasPolling = false;
let early = readEarly(document); // the channels of the page that is being loaded: asked for before it is drawn

// ---- socket ----

const poll = new Poll({
  ask: askForChanges,
  positions: () => store.positions(),
  onAnswer: (frames, received) => frames.every((frame) => onFrame(frame, received) !== GAP),
  onStatus: (status) => connection.polled(status),
  later: (act, ms) => setTimeout(act, ms),
  now,
  random: Math.random,
  clock,
});
const connection = new Connection({
  socketUrl: (n) => `${location.protocol === 'https:' ? 'wss:' : 'ws:'}//${location.host}${PATH}?protocols=1&try=${n}`,
  setUrl: (url) => setProps(window, SOCKET, { url }),
  askSession: () => fetch('/api/session', { signal: AbortSignal.timeout(5_000) }).then((answer) => answer.status, () => 0),
  later: (act, ms) => setTimeout(act, ms),
  now,
  random: Math.random,
  isOnline: () => navigator.onLine,
  clock,
  poll,
  onOpen() {
    if (connection.opened > 1) telemetry.count('reconnects');
    store.connected(now());
    subscribe();
  },
  onFrame,
  onChange() {
    if (connection.cutAt !== null && connection.opened > 0) measuring.cut(connection.cutAt);
    if (connection.isPolling && !wasPolling) store.connected(now());
    wasPolling = connection.isPolling;
    if (connection.state === 'ended' && connection.cause === 'refused') release.reload();
    lookAtFreshness();
  },
});
installTap(window, PATH, {
  onSocket: (socket) => connection.adopt(socket),
  onFrame: (socket, frame) => connection.frame(socket, frame),
});

/** Tells the server the wanted set. */
function subscribe() {
  if (connection.isPolling) poll.again();
  else connection.send({ op: 'subscribe', channels: store.positions() });
}

const patience_ms = () => 2.5 * connection.heartbeat_ms;

/** Returns GAP where something was missed. */
function onFrame(frame, received) {
  if (frame.op === 'snapshot' || frame.op === 'delta') return onData(frame, received);
  if (frame.op === 'hello') return onHello(frame);
  if (frame.op === 'pong') measuring.trip(received - frame.t);
  if (frame.op === 'error' && frame.channel) store.refuse(frame.channel, frame.code);
  if (frame.op !== 'heartbeat') return null;
  watch.heartbeat(frame.channels);
  if (store.check(frame.channels, received, patience_ms()).length > 0) return onGap();
  return void measuring.proven();
}

/** A server that speaks otherwise, or that no longer has these modules, is another release. */
function onHello({ protocol }) {
  if (protocol !== PROTOCOL) return void connection.end('refused');
  if (connection.opened > 1) void checkRelease();
  return null;
}

async function checkRelease() {
  const answer = await fetch(import.meta.url, { method: 'HEAD', cache: 'no-store' }).catch(() => null);
  if (answer?.status === 404) release.reload();
}

function onData(frame, received) {
  const outcome = store.apply(frame);
  telemetry.count('frames');
  if (outcome === DUPLICATE) telemetry.count('duplicates');
  if (outcome === GAP) onGap();
  if (outcome !== APPLIED) return outcome;
  if (frame.op === 'snapshot') telemetry.count('snapshots');
  if (frame.op === 'delta') measuring.applied(frame, received);
  measuring.proven();
  for (const { job, channels } of bound.values()) {
    if (!channels.includes(frame.channel)) continue;
    if (frame.op === 'delta' && frame.channel === channels[0]) measuring.awaitPaint(job ?? measuring.grids, frame, received);
    if (job) loop.mark(job);
  }
  loop.mark(propsJob);
  noteShown();
  return outcome;
}

function onGap() {
  telemetry.count('gaps');
  if (connection.state === 'open') connection.drop('gap');
  return GAP;
}

// ---- painting ----

const propsJob = new Job({ group: 'props', every_ms: PROPS_MS, paint: sendChanges });
loop.add(propsJob);
let palette = null;

function onPainted(job, at) {
  if (job.group !== 'props') markEmpty();
  measuring.painted(job, at);
}

/** A page none of whose channels ever had an event says so: it may hold a hint how to post the first one. */
function markEmpty() {
  const isEmpty = store.wanted().every(({ state, createdAt }) => state !== null && createdAt === null);
  document.querySelector('.hint')?.parentElement.toggleAttribute('data-empty', isEmpty);
}

function sendChanges() {
  const channels = isStarted ? store.takeChanges() : null;
  if (channels === null) return;
  const start = now();
  measuring.ship();
  setProps(window, CHANGES, { data: { frame: (props += 1), channels } });
  // Dash runs the callbacks in two further tasks; what they take counts as this job's cost
  setTimeout(() => setTimeout(() => loop.charge(propsJob, now() - start), 0), 0);
}

function jobOf(element, spec) {
  const painter = PAINTERS[spec.paint];
  if (painter === undefined) return null;
  const paint = () => painter(element, spec, store, palette ??= readPalette(getComputedStyle(document.documentElement)), incidents.all);
  const job = new Job({ group: spec.paint === 'chart' ? 'chart' : 'text', every_ms: spec.every_ms ?? 0, paint, seen: false });
  job.waiting = [];
  return job;
}

const charts = () => [...bound.values()].flatMap(({ job }) => (job?.group === 'chart' ? [job] : []));
const incidents = new Incidents({
  isWanted: () => !document.hidden && charts().length > 0, onChange: () => charts().forEach((job) => loop.mark(job)),
});

const view = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    const job = bound.get(target)?.job;
    if (job) loop.see(job, isIntersecting);
  }
}, { rootMargin: '100px' });

// ---- which components are on the page ----

/** Binds what is on the page now, lets go of what is not, and subscribes to exactly the channels that it shows. */
function rescan() {
  const elements = new Set(document.querySelectorAll('[data-live]'));
  for (const [element, { job }] of bound) {
    if (elements.has(element)) continue;
    view.unobserve(element);
    if (job) loop.remove(job);
    bound.delete(element);
  }
  const fresh = [...elements].filter((element) => !bound.has(element));
  fresh.forEach(bindOne);
  store.renew(fresh.flatMap((element) => bound.get(element).channels));
  if (fresh.length > 0) loop.mark(propsJob); // what changed before they were there reached no callback of theirs
  if (bound.size > 0) early = [];
  const names = [...early, ...[...bound.values()].flatMap(({ channels }) => channels)];
  measuring.want(names, isStarted && connection.opened > 0 ? now() : 0);
  noteShown();
  if (!store.want(names, now())) return;
  subscribe();
  loop.mark(propsJob);
  lookAtFreshness();
}

/** Tells which channels have a value on the page. */
function noteShown() {
  measuring.shown([...bound.values()].flatMap(({ channels }) => channels).filter((name) => store.get(name)?.state));
}

function bindOne(element) {
  const spec = JSON.parse(element.dataset.live);
  const channels = [spec.channel, ...(spec.trend ? [spec.trend.channel] : [])];
  const job = jobOf(element, spec);
  bound.set(element, { job, channels });
  if (job === null) return;
  loop.add(job);
  view.observe(element);
  // what is known already is on the first frame that shows the component, before Plotly or a grid takes the thread
  if (job.group === 'text' && store.get(spec.channel)?.state) job.paint();
}

/** Whoever replaces the page binds it in the same task; Dash's callback comes some tasks later. */
function watchPages() {
  const content = document.getElementById('_pages_content');
  if (content) new MutationObserver(() => rescan()).observe(content, { childList: true });
}

/** Dash tells of new components before React has put them on the page: look until all of them are there. */
function rescanUntilFound(frames = RESCAN_FRAMES) {
  rescan();
  const found = new Set([...bound.values()].flatMap(({ channels }) => channels));
  const isMissing = expected.some(({ channel }) => !found.has(channel)) || expected.length > bound.size;
  if (isMissing && frames > 0) setTimeout(() => rescanUntilFound(frames - 1), 16);
}

// ---- freshness ----

function lookAtFreshness() {
  const at = now(), link = linkOf(connection, at, Date.now());
  const shown = isStarted ? watch.look(store.wanted(), link, clock.at(at), at) : null;
  if (shown === null) return;
  for (const [element, { channels: [main] }] of bound) element.dataset.state = shown.channels[main]?.state ?? 'connecting';
  setProps(window, FRESHNESS, { data: shown });
}

function tick() {
  if (clock.checkSleep(now(), Date.now())) connection.nudge();
  connection.tick();
  if ([...bound.keys()].some((element) => !element.isConnected)) rescan();
  lookAtFreshness();
  void incidents.tick(now());
  if (isStarted) measuring.look(watch.judged(store.wanted(), linkOf(connection, now(), Date.now()), clock.at(now())));
  if (now() >= reportAt) report();
}

function report() {
  reportAt = now() + REPORT_MS;
  if (connection.cause === 'refused') release.reload();
  measuring.settle(performance.interactionCount);
  const told = telemetry.report(!document.hidden);
  if (!connection.send(told) && connection.isPolling) void sendReport({ ...told, viewer: VIEWER });
}

/** Asks for the page's first values over HTTP while Dash still draws it; the socket then goes on from there. */
async function prime() {
  if (early.length === 0) return;
  store.want(early, now());
  const sent = now(), { frames = [] } = await askForChanges({ channels: store.positions(), wait_s: 0, heartbeat: true });
  const received = now();
  if (connection.opened > 0) return; // the socket was quicker
  const time = frames.find(({ op }) => op === 'heartbeat')?.server_time;
  if (time !== undefined) clock.sample(sent, received, time);
  for (const frame of frames) onFrame(frame, received);
}

function start() {
  isStarted = true;
  watchPages();
  loop.mark(propsJob);
  connection.connect();
  setInterval(tick, TICK_MS);
}

document.addEventListener('visibilitychange', () => {
  for (const { job } of bound.values()) if (job) job.waiting = [];
  if (document.hidden) return void (measuring.hide(), report()); // it may be the last chance
  connection.nudge();
  loop.kick();
});
for (const event of ['online', 'offline', 'pageshow']) window.addEventListener(event, () => connection.nudge());

// ---- the clientside namespace ----

const grids = new Grids({
  store,
  getApi: (id) => window.dash_ag_grid.getApi(id),
  later: (act, ms) => setTimeout(act, ms),
});
const CONNECTING = { state: 'connecting', text: 'connecting', detail: '' };
const themes = new Theme(window, () => {
  palette = null;
  charts().forEach((job) => loop.mark(job));
});
const lastShown = new Map(); // uid of a badge → what it shows

/** The badges on the page tell which components are. */
function bind(ids) {
  expected = ids;
  if (!isStarted) start();
  rescanUntilFound();
  return dash.no_update;
}

/** Changed rows go to the grids; a grid that was just mounted gets all of its rows. */
function updateGrids(changes, ids) {
  const isMounting = dash.callback_context?.triggered_id !== CHANGES;
  measuring.landed();
  grids.update(isMounting ? Object.fromEntries(ids.map(({ channel }) => [channel, true])) : changes.channels, ids);
}

/** States, texts and details of all badges, and the banner; what stays the same is left alone. */
function freshness(fresh, ids) {
  if (dash.callback_context?.triggered_id !== FRESHNESS) lastShown.clear(); // other badges were mounted
  const badges = ids.map(({ uid, channel }) => {
    const { state, text, detail } = fresh?.channels?.[channel] ?? CONNECTING;
    return changed(uid, [state, text, detail]);
  });
  const { state, text, link } = fresh?.banner ?? { state: 'connecting', text: '', link: 'Connecting' };
  const columns = [0, 1, 2].map((i) => badges.map((badge) => badge[i]));
  return [...columns, ...changed('banner', [text === '', state, text, state, link])];
}

function changed(key, values) {
  const former = lastShown.get(key) ?? [];
  lastShown.set(key, values);
  return values.map((one, i) => (one === former[i] ? dash.no_update : one));
}

/** Switches between light and dark. */
function theme(clicks) {
  if (clicks) themes.toggle();
  return dash.no_update;
}

/** Narrows a grid to the rows that contain a text; a grid that is not ready has no rows to narrow. */
function filter(text, id) {
  if (id) grids.whenReady(id, (api) => api.setGridOption('quickFilterText', text ?? ''));
  return dash.no_update;
}

/** Marks the link of the open page. */
function navigation(pathname) {
  for (const link of document.querySelectorAll('#navigation a')) {
    if (new URL(link.href).pathname === pathname) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  return dash.no_update;
}

watchBadges(document);
watchInteractions(window, measuring);
prime();

export const clientside = { bind, grids: updateGrids, freshness, theme, filter, navigation };
Object.assign(dash.headwater, clientside); // from now on without the detour over a promise

/** The public names for a team's own clientside callbacks, for tests and for benchmarks. */
window.headwater = {
  /** The present state of a channel as a plain object; null where it is not known. */
  channel(name) {
    const channel = store.get(name);
    return channel?.state ? { kind: channel.kind, created_at: channel.createdAt, ...channel.state.data() } : null;
  },
  /** State and position of a channel, comparable with the server's snapshot. */
  state(name) {
    const channel = store.get(name);
    return channel?.state ? { ...(channel.position ?? { epoch: null, seq: null }), data: channel.state.data() } : null;
  },
  /** Stages, counts, the link and the paint loop. */
  stats() {
    const { state, cause, opened, attempt } = connection;
    return { ...telemetry.stats(), link: { state, cause, opened, attempt }, animation_frames: loop.frames, props,
      clock_error_ms: clock.best.trip / 2, channels: store.wanted().map(({ name }) => name) };
  },
  /** The server's time, ms since the epoch. */
  now: () => clock.at(now()),
};
