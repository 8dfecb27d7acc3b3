/* The module that acts: wires socket, store, painters and Dash together. All the others are rules without effects
   of their own; this one reads the page, the clock and the network. */

import { announcer } from './announcing.mjs';
import { Arriving } from './arriving.mjs';
import { ServerClock } from './clock.mjs';
import { Choosing } from './choosing.mjs';
import { Connection } from './connection.mjs';
import { paintBadge, watchBadges } from './badges.mjs';
import { Binding } from './binding.mjs';
import { Details } from './details.mjs';
import { Watch, linkOf, worstOf } from './freshness.mjs';
import { Drawer } from './drawer.mjs';
import { Grids } from './grid.mjs';
import { readPalette } from './chart.mjs';
import { Incidents } from './incidents.mjs';
import { watchExplore } from './explore.mjs';
import { watchPlots } from './instep.mjs';
import { Measuring, watchInteractions } from './measuring.mjs';
import { Job, PaintLoop } from './paint.mjs';
import { Mounting } from './mounting.mjs';
import { Painters } from './painters.mjs';
import { Pausing } from './pausing.mjs';
import { Poll, askForChanges, prime, sendReport } from './poll.mjs';
import { markEmpty, markLink } from './nodes.mjs';
import { hasListeners, readList, setProps } from './props.mjs';
import { publicNames } from './public.mjs';
import { PROTOCOL, Release } from './release.mjs';
import { replayOf } from './replaying.mjs';
import { screenOf } from './screen.mjs';
import { APPLIED, DUPLICATE, GAP, Store } from './store.mjs';
import { installTap } from './tap.mjs';
import { Tables } from './tables.mjs';
import { TakeAway } from './takeaway.mjs';
import { Telemetry } from './telemetry.mjs';
import { Theme } from './theme.mjs';
import { LookBack } from './lookback.mjs';
import { watchKiosk } from './kiosk.mjs';
import { Zones } from './zone.mjs';

const PATH = '/live', SOCKET = 'live-socket', CHANGES = 'live-changes', FRESHNESS = 'live-freshness', TICK_MS = 250, REPORT_MS = 10_000;
const CHANGES_MS = 50; // a transaction of a grid costs 2 to 10 ms
const dash = window.dash_clientside;
const now = () => performance.now();

const store = new Store();
const replay = replayOf({ store, scope: window, now, onFrame: (frame) => onData(frame, now()), onShown: () => lookAtFreshness() });
const clock = replay?.clock ?? new ServerClock(), watch = new Watch(), telemetry = new Telemetry();
const measuring = new Measuring({
  telemetry, clock, now, isHidden: () => document.hidden, page: () => location.pathname,
  isPolling: () => connection.isPolling, onFrame: (act) => requestAnimationFrame(act),
});
const choosing = new Choosing({ scope: window, onChange: rechoose, rowsOf: (field) => store.valuesOf(field) });
const specOf = (element) => choosing.specOf(element);
const details = new Details({ view: (element) => pausing.view(element), specOf, clock, now });
const loop = new PaintLoop({ scope: window, now, isHidden: () => document.hidden, onPainted });
const release = new Release({ own: import.meta.url, scope: window, wall: Date.now });
const VIEWER = Math.random().toString(36).slice(2); // stands for this page where there is no socket
let props = 0, reportAt = now() + REPORT_MS, isStarted = false, wasPolling = false;
let fresh = null, told = ''; // how fresh every channel is, in words; what of it the clientside callback was told
let early = replay ? [] : readList(document, 'headwater-channels'); // the channels of the page that is being loaded: asked for before it is drawn

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
    if (connection.state === 'ended') release.ended(connection.cause);
    lookAtFreshness();
  },
});
installTap(window, PATH, {
  onSocket: (socket) => connection.adopt(socket),
  onFrame: (socket, frame) => connection.frame(socket, frame),
});

/** Tells the server the wanted set. */
function subscribe() {
  if (replay) return void replay.want(Object.keys(store.positions()));
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
  pausing.everybody(frame.channels);
  if (store.check(frame.channels, received, patience_ms()).length > 0) return onGap();
  return void measuring.proven();
}

/** A server that speaks otherwise, or that no longer has these modules, is another release. */
function onHello({ protocol }) {
  if (protocol !== PROTOCOL) return void connection.end('refused');
  if (connection.opened > 1) void release.check();
  return null;
}

function onData(frame, received) {
  const outcome = store.apply(frame, received);
  telemetry.count('frames');
  if (outcome === APPLIED) lookBack.applied(frame);
  if (outcome === DUPLICATE) telemetry.count('duplicates');
  if (outcome === GAP) onGap();
  if (outcome !== APPLIED) return outcome;
  if (frame.op === 'snapshot') telemetry.count('snapshots');
  if (frame.op === 'delta' && !replay) measuring.applied(frame, received);
  measuring.proven();
  pausing.moved(frame.channel);
  for (const { element, job, isMain } of binding.waiting(frame.channel)) {
    if (pausing.isHeld(element)) continue;
    if (frame.op === 'delta' && isMain && !replay) measuring.awaitPaint(job ?? changesJob, frame, received);
    if (job) loop.mark(job);
  }
  loop.mark(changesJob);
  if (frame.op === 'snapshot') noteShown();
  return outcome;
}

function onGap() {
  telemetry.count('gaps');
  if (connection.state === 'open') connection.drop('gap');
  return GAP;
}

// ---- painting ----

// grids and a team's own callbacks
const changesJob = Object.assign(new Job({ group: 'changes', every_ms: CHANGES_MS, paint: passOnChanges }), { waiting: [] });
let palette = null;

function onPainted(job, at) {
  if (job !== changesJob && !replay) markEmpty(document, store.wanted());
  for (const name of job.channels ?? binding.channels()) store.painted(name, job.group, at);
  measuring.painted(job, at);
}

/** What changed goes to the grids, and as one prop to the clientside callbacks of a team, where there are any: each
    run of one costs 5 to 20 ms, by the size of the page. */
function passOnChanges() {
  const channels = isStarted ? store.takeChanges() : null;
  if (channels === null) return;
  grids.update(channels);
  drawer.update();
  if (!hasListeners(window, CHANGES, 'data')) return;
  const start = now();
  setProps(window, CHANGES, { data: { frame: (props += 1), channels } });
  // Dash runs the callbacks in two further tasks; what they take counts as this job's cost
  setTimeout(() => setTimeout(() => loop.charge(changesJob, now() - start), 0), 0);
}

const painters = new Painters({
  view: (element) => pausing.view(element), palette: () => palette ??= readColours(), incidents: () => incidents.all, now,
  time: () => clock.at(now()), onAdded: () => binding.jobs().forEach((job) => loop.mark(job)),
});
const readColours = () => readPalette(getComputedStyle(document.documentElement));
const charts = () => binding.jobs().filter(({ group }) => group === 'chart');
const incidents = new Incidents({
  ask: replay?.incidents, span: () => lookBack.longest_ms, time: () => clock.at(now()),
  isWanted: () => !document.hidden && charts().length > 0, onChange: () => charts().forEach((job) => loop.mark(job)),
});

const lookBack = new LookBack({
  scope: window, store, onChange: (section) => { if (binding.job(section)) loop.mark(binding.job(section)); },
  held: (section) => pausing.of(section),
});

const view = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    const job = binding.job(target);
    if (job) loop.see(job, isIntersecting);
  }
}, { rootMargin: '100px' });

// ---- which components are on the page ----

const binding = new Binding({
  jobOf: (element, spec) => painters.jobOf(element, spec), specOf,
  onBound(job, element, spec) {
    loop.add(job);
    if (!replay) lookBack.bound(element, spec); // it would show what came after
    view.observe(element);
    // what is known already is on the first frame that shows the component, before Plotly or a grid takes the thread
    if (job.group === 'text' && store.get(spec.channel)?.state) job.paint();
  },
  onGone(job, element) {
    view.unobserve(element);
    lookBack.gone(element);
    loop.remove(job);
  },
});
loop.add(changesJob);
const mounting = new Mounting({ scope: window, binding, rescan });

const pausing = new Pausing({
  scope: window, store, parts: () => binding.parts(), time: () => clock.at(now()),
  show({ job, grid }) { if (job) loop.mark(job); if (grid) grids.renew(grid); },
  paintBadges,
  onChange: () => setProps(window, FRESHNESS, { data: fresh }),
});

/** Subscribes to exactly the channels that the page shows now. */
function rescan() {
  if (choosing.rescanned()) letGo();
  const found = binding.rescan(document);
  for (const { element } of binding.parts()) takeAway.attach(element);
  choosing.tell(binding.parts());
  pausing.rescanned();
  exploring.look();
  zones.paint();
  store.renew(found);
  if (found.length > 0) paintBadges();
  if (found.length > 0) loop.mark(changesJob); // what changed before they were there reached no callback of theirs
  if (binding.size > 0) early = [];
  const names = [...early, ...binding.channels()];
  measuring.want(names, isStarted && connection.opened > 0 ? now() : 0);
  noteShown();
  if (!store.want(names, now())) return;
  subscribe();
  loop.mark(changesJob);
  lookAtFreshness();
}

/** Another value is chosen: every component shows something else. */
function rechoose() {
  letGo();
  grids.renew();
  rescan();
  for (const job of binding.jobs()) if (loop.mark(job), job.group === 'text') job.paint(); // also where nobody looks
}

const letGo = () => (pausing.rebound(), binding.release());

/** Tells which channels have a value on the page. */
const noteShown = () => measuring.shown(binding.channels().filter((name) => store.get(name)?.state));

// ---- freshness ----

function lookAtFreshness() {
  const at = now(), link = linkOf(connection, at, Date.now());
  const shown = !isStarted ? null : replay ? replay.freshness(store.wanted()) : watch.look(store.wanted(), link, clock.at(at), at);
  if (shown === null) return;
  fresh = shown;
  const news = JSON.stringify([Object.values(shown.channels).map(({ state }) => state), shown.banner]);
  if (news === told) return paintBadges(); // an age has grown
  told = news;
  setProps(window, FRESHNESS, { data: shown });
}

function paintBadges() {
  for (const part of binding.parts()) {
    const shown = worstOf(fresh?.channels, part.judged);
    paintBadge(part.element, pausing.badge(part, shown) ?? shown);
  }
}

function tick() {
  if (clock.checkSleep(now(), Date.now())) connection.nudge();
  connection.tick();
  if (binding.isOutdated()) rescan();
  lookAtFreshness();
  details.tick(document);
  exploring.look();
  if (pausing.isAny) pausing.paint();
  if (!replay) arriving.look(now(), linkOf(connection, now(), Date.now()).isCut);
  void incidents.tick(now());
  const seen = store.wanted().filter(({ name }) => pausing.isSeen(binding.waiting(name)));
  if (isStarted && !replay) measuring.look(watch.judged(seen, linkOf(connection, now(), Date.now()), clock.at(now())));
  if (now() >= reportAt) report();
}

function report() {
  if (replay) return; // what was is measured already
  reportAt = now() + REPORT_MS;
  if (connection.cause === 'refused') release.reload();
  measuring.settle(performance.interactionCount);
  const told = telemetry.report(!document.hidden);
  if (!connection.send(told) && connection.isPolling) void sendReport({ ...told, viewer: VIEWER });
}

function start() {
  isStarted = true;
  mounting.watch();
  loop.mark(changesJob);
  if (replay) replay.start();
  else connection.connect();
  setInterval(tick, TICK_MS);
}

document.addEventListener('visibilitychange', () => {
  for (const job of [changesJob, ...binding.jobs()]) job.waiting = [];
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
  heldBy: pausing.ofGrid, channelOf: (id) => choosing.ofGrid(id).channel, isShown: (id, row) => choosing.isShown(id, row),
  onReady: (id, api) => { tables.ready(id, api); drawer.ready(id, api); takeAway.gridReady(); },
});
const tables = new Tables({ scope: window, now, setQuick: (id, value) => setProps(window, { ...id, type: 'table-filter' }, { value }) });
const announcing = announcer(document, now), arriving = new Arriving(window);
const drawer = new Drawer({
  scope: window, choosing, specOf, viewOf: (element) => pausing.view(element), time: () => clock.at(now()),
  partOf: (uid) => [...binding.parts()].find(({ grid }) => grid === uid), isLive: (element) => !replay && !pausing.isHeld(element),
});
const zones = new Zones(window, () => {
  for (const job of binding.jobs()) loop.mark(job);
  for (const act of [() => grids.rewrite(), () => pausing.paint(), () => replay?.bar.draw(), () => exploring.repaint(), lookAtFreshness]) act();
});
const themes = new Theme(window, () => {
  palette = null;
  charts().forEach((job) => loop.mark(job));
  exploring.repaint();
});

/** The badges on the page tell which components are, and those of the grids which grids. */
function bind(badges, ids) {
  if (choosing.rescanned()) letGo();
  tables.show(ids);
  grids.show(ids);
  if (!isStarted) start();
  mounting.expect(badges);
  return dash.no_update;
}

/** Freshness in words: badges, and what banner and link show. */
function freshness(told) {
  paintBadges();
  const banner = told?.banner ?? { state: 'connecting', text: '', link: 'Connecting' }, { state, text, link } = banner;
  announcing.tell(banner);
  return [text === '', state, text, ...pausing.link(state, link)];
}

/** Switches between light and dark. */
const theme = (clicks) => (clicks && themes.toggle(), dash.no_update);

/** Narrows a grid to the rows that contain a text; a grid that is not ready has no rows to narrow. */
const filter = (text, id) => (id && tables.typed(id, text ?? ''), dash.no_update);

/** Marks the link of the open page. */
const navigation = (pathname) => (markLink(document, pathname), dash.no_update);

const takeAway = new TakeAway({
  scope: window, shownBy: (element) => pausing.view(element), specOf,
  standing: (element) => replay?.standing() ?? pausing.standing(element), gridOf: (element) => grids.of(element), columns: (api) => tables.columnChoice(api), matches: (element) => choosing.matches(element), painterOf: ({ paint }) => painters.get(paint), palette: () => palette ?? readColours(),
}).watch();
watchBadges(document, (badge) => { details.fill(badge); pausing.offer(badge); });
const exploring = watchExplore({ scope: window, palette: () => palette ?? readColours(), isHeld: () => pausing.isPaused || document.hidden });
watchInteractions(window, measuring);
watchPlots(window);
watchKiosk({ scope: window, isUp: () => ['open', 'polling'].includes(connection.state), hasEnded: () => connection.state === 'ended' });
prime({ store, names: early, clock, now, onFrame, isLate: () => connection.opened > 0 });

export const clientside = { bind, freshness, theme, filter, navigation };
Object.assign(dash.headwater, clientside); // from now on without the detour over a promise

const screen = () => screenOf({ parts: binding.parts(), heldBy: (element) => pausing.of(element), live: (name) => store.get(name), at: replay ? replay.standing().at : null });
window.headwater = publicNames({ store, telemetry, connection, loop, clock, now, props: () => props, painters, screen });
void painters.load(readList(document, 'headwater-painters'));
