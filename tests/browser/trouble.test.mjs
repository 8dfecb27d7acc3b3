/* Trouble on a clock of the test's own: blocked upgrades, outages of a day, sleep, hidden tabs, other releases. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { ServerClock } from '../../assets/live/clock.mjs';
import { Poll } from '../../assets/live/poll.mjs';
import { Release } from '../../assets/live/release.mjs';
import { Store } from '../../assets/live/store.mjs';
import { makeWorld, settle } from './world.mjs';

async function refuseUpgrades(world, times) {
  for (let i = 0; i < times; i += 1) {
    world.socket().fire('close', { code: 1006 });
    await settle();
    if (!world.connection.isPolling) world.advance(15_000);
  }
}

test('three upgrades that fail in a row though the server answers make a long poll', async () => {
  const world = makeWorld();
  world.connection.connect();
  await refuseUpgrades(world, 2);
  assert.equal(world.connection.isPolling, false);
  await refuseUpgrades(world, 1);
  assert.equal(world.connection.isPolling, true);
  assert.equal(world.poll.running, true);
  assert.notEqual(world.connection.cutAt, null, 'not well before the first answer');
  world.connection.polled(200);
  assert.equal(world.connection.cutAt, null);
});

test('a server that does not answer, or not well, is no reason for a long poll', async () => {
  for (const status of [0, 500, 503]) {
    const world = makeWorld();
    world.status = status;
    world.connection.connect();
    await refuseUpgrades(world, 20);
    assert.equal(world.connection.state, 'connecting');
  }
});

test('a socket that opens and never says a word is blocked as well', async () => {
  const world = makeWorld();
  world.connection.connect();
  for (let i = 0; i < 3; i += 1) {
    world.socket().fire('open');
    for (let tick = 0; tick < 60 && world.connection.state === 'open'; tick += 1) { world.advance(250); world.connection.tick(); }
    await settle();
    if (!world.connection.isPolling) world.advance(15_000);
  }
  assert.equal(world.connection.isPolling, true);
});

test('a long poll tries the socket again, sooner at first, and leaves when it says hello', async () => {
  const world = makeWorld();
  world.connection.connect();
  await refuseUpgrades(world, 3);
  const tried = [];
  for (let s = 0; s < 240; s += 1) {
    const { length } = world.urls;
    world.advance(1_000);
    world.connection.tick();
    if (world.urls.length === length) continue;
    tried.push(s + 1);
    world.socket().fire('close', { code: 1006 });
  }
  assert.deepEqual(tried, [5, 20, 50, 110, 170, 230]);
  world.connection.nudge();
  world.connection.tick();
  const socket = world.socket();
  socket.fire('open');
  assert.equal(world.poll.running, true, 'an open socket alone proves nothing');
  world.say(socket, { op: 'hello', heartbeat_s: 1, server_time: 5_000 });
  assert.deepEqual([world.connection.state, world.poll.running], ['open', false]);
  assert.equal(socket.sent[0].op, 'subscribe');
});

test('a long poll that fails is a cut link with its cause; signed out ends it; a server without one is asked no more', async () => {
  for (const [status, state, cause] of [[502, 'polling', 'gateway'], [0, 'polling', 'unreachable'], [401, 'ended', 'signed_out'], [404, 'waiting', 'gateway']]) {
    const world = makeWorld();
    world.connection.connect();
    await refuseUpgrades(world, 3);
    world.connection.polled(200);
    world.connection.polled(status);
    assert.deepEqual([world.connection.state, world.connection.cause], [state, cause]);
    assert.notEqual(world.connection.cutAt, null);
    assert.equal(world.poll.running, state === 'polling');
    if (status !== 404) continue;
    world.advance(15_000);
    await refuseUpgrades(world, 10);
    assert.equal(world.connection.isPolling, false);
  }
});

test('an outage of a day is tried through, capped and jittered, and its end is found', async () => {
  const world = makeWorld();
  let seed = 7;
  Object.defineProperty(world, 'random', { get: () => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647 });
  world.status = 0;
  world.connection.connect();
  const waits = [];
  while (world.now < 86_400_000) {
    world.socket().fire('close', { code: 1006 });
    await settle();
    waits.push(world.connection.retryAt - world.now);
    world.advance(15_001);
    assert.equal(world.connection.state, 'connecting');
  }
  assert.ok(Math.max(...waits) <= 15_000);
  assert.ok(new Set(waits.slice(-100).map(Math.round)).size > 90, 'no two viewers come back together');
  world.open();
  assert.equal(world.connection.state, 'open');
});

test('a laptop that wakes up with a dead socket notices at once and comes back', () => {
  const world = makeWorld(), clock = new ServerClock();
  world.connection.connect();
  const socket = world.open();
  clock.checkSleep(world.now, world.now);
  const wall = world.now + 3_600_000; // the monotonic clock stood still
  assert.equal(clock.checkSleep(world.now, wall), true);
  world.connection.nudge();
  for (let i = 0; i < 11; i += 1) { world.advance(250); world.connection.tick(); }
  assert.equal(socket.closedWith?.code, 4000);
  assert.equal(world.connection.state, 'waiting');
});

test('a laptop whose clock went on while it slept comes back as well', () => {
  const world = makeWorld();
  world.connection.connect();
  const socket = world.open();
  world.connection.tick();
  world.advance(3_600_000);
  world.connection.tick();
  world.advance(250);
  world.connection.tick();
  assert.equal(socket.closedWith?.code, 4000);
});

test('a tab that is hidden for minutes keeps its socket: it pings when frames come, since its timers hardly run', () => {
  const world = makeWorld();
  world.connection.connect();
  const socket = world.open();
  world.advance(10_000);
  const pings = () => socket.sent.filter(({ op }) => op === 'ping').length, before = pings();
  for (let s = 0; s < 600; s += 1) {
    world.advance(1_000);
    world.say(socket, { op: 'heartbeat', channels: {} });
    if (s % 60 === 0) world.connection.tick();
  }
  assert.equal(socket.closedWith, undefined);
  assert.ok(pings() - before >= 55, 'no proxy sees an idle minute');
});

test('offline and online again: a long wait is cut short', async () => {
  const world = makeWorld();
  Object.assign(world, { online: false, status: 0, random: 1 });
  world.connection.connect();
  world.connection.attempt = 10;
  world.socket().fire('close', { code: 1006 });
  await settle();
  assert.equal(world.connection.cause, 'link');
  world.online = true;
  world.connection.nudge();
  world.advance(600);
  assert.equal(world.connection.state, 'connecting');
});

// ---- the long poll itself ----

function makePoll(answers) {
  const world = { now: 0, asked: [], statuses: [], got: [], timers: [], clock: new ServerClock() };
  world.poll = new Poll({
    ask: async (body) => { world.asked.push(body); return answers.shift() ?? new Promise(() => {}); },
    positions: () => world.positions ?? { c: { epoch: 'a', seq: world.got.length } },
    onAnswer: (frames) => world.got.push(frames),
    onStatus: (status) => world.statuses.push(status),
    later: (act, ms) => world.timers.push({ act, ms }),
    now: () => world.now,
    random: () => 0.5,
    clock: world.clock,
  });
  world.next = async () => { const { act, ms } = world.timers.shift(); world.now += ms; act(); await settle(); return ms; };
  return world;
}

const answer = (fields = {}) => ({ status: 200, frames: [{ op: 'heartbeat', server_time: 9_000 }], ...fields });

test('one request follows the other from the positions then held, at most four a second', async () => {
  const world = makePoll([answer(), answer()]);
  world.poll.start();
  await settle();
  assert.equal(await world.next(), 250);
  assert.deepEqual(world.asked.map(({ channels }) => channels.c.seq), [0, 1]);
});

test('the first requests do not wait, since their round trips tell the clock; later ones wait for news', async () => {
  const world = makePoll(Array.from({ length: 6 }, () => answer()));
  world.poll.start();
  await settle();
  for (let i = 0; i < 5; i += 1) await world.next();
  assert.deepEqual(world.asked.map(({ wait_s }) => wait_s), [0, 0, 0, 0, 5, 5]);
  assert.equal(world.clock.isSettled, true);
});

test('a changed subscription asks anew, and what the former request brings is dropped', async () => {
  let late;
  const world = makePoll([new Promise((resolve) => { late = resolve; }), answer()]);
  world.poll.start();
  world.poll.again();
  await settle();
  late(answer({ frames: ['late'] }));
  await settle();
  assert.equal(world.asked.length, 2);
  assert.equal(world.got.flat().includes('late'), false);
});

test('a poll that fails waits longer each time, and at least as long as the server asks', async () => {
  const world = makePoll([{ status: 503, retry_ms: 2_000 }, { status: 0 }, { status: 0 }, answer()]);
  world.poll.start();
  await settle();
  assert.deepEqual([await world.next(), await world.next(), await world.next()], [2_500, 1_000, 2_000]);
  assert.deepEqual(world.statuses, [503, 0, 0, 200]);
});

test('a page without live parts asks nothing', async () => {
  const world = makePoll([answer()]);
  world.positions = {};
  world.poll.start();
  await settle();
  assert.equal(world.asked.length, 0);
});

// ---- releases ----

test('a page of another release reloads once, and again only after an hour', () => {
  const kept = new Map();
  let reloads = 0, at = 1_000_000_000;
  const scope = {
    sessionStorage: { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value) },
    location: { reload: () => { reloads += 1; } },
  };
  const page = (own) => new Release({ own, scope, wall: () => at });
  assert.equal(page('r1').reload(), true);
  for (let i = 0; i < 100; i += 1) { at += 30_000; assert.equal(page('r1').reload(), false); }
  assert.equal(page('r2').reload(), true, 'another release may');
  at += 3_600_000;
  assert.equal(page('r2').reload(), true);
  assert.equal(reloads, 3);
  const forbidden = { ...scope, sessionStorage: { getItem() { throw new Error('forbidden'); } } };
  assert.equal(new Release({ own: 'r3', scope: forbidden, wall: () => at }).reload(), false, 'a loop could not be told');
});

// ---- what a store makes of frames in every order ----

const snapshot = (epoch, seq) => ({ op: 'snapshot', channel: 'c', kind: 'latest', epoch, seq, data: { rows: { k: { n: seq } } } });
const delta = (epoch, after, seq = after + 1) => ({ op: 'delta', channel: 'c', epoch, after, seq, data: { set: { k: { n: seq } } } });
const told = (epoch, seq) => ({ c: { epoch, seq, state: 'live' } });

function storeAt(epoch, seq) {
  const store = new Store();
  store.want(['c'], 0);
  store.apply(snapshot(epoch, seq));
  return store;
}

test('frames out of order: what is early is a gap, what is late a duplicate, and nothing is applied twice', () => {
  const store = storeAt('a', 5);
  assert.deepEqual([delta('a', 6), delta('a', 5), delta('a', 5), delta('a', 6)].map((frame) => store.apply(frame)),
    ['gap', 'applied', 'duplicate', 'applied']);
  assert.deepEqual(store.get('c').position, { epoch: 'a', seq: 7 });
});

test('an older snapshot of the same epoch is dropped', () => {
  const store = storeAt('a', 5);
  store.connected(0);
  assert.equal(store.apply(snapshot('a', 4)), 'duplicate');
  assert.equal(store.get('c').state.rows.get('k').n, 5);
});

test('frames of an epoch that was left are ignored: a server that is behind cannot take a page back in time', () => {
  const store = storeAt('a', 100);
  store.apply(snapshot('b', 3));
  for (const frame of [snapshot('a', 100), snapshot('a', 120), delta('a', 100)]) assert.equal(store.apply(frame), 'ignored');
  assert.deepEqual(store.get('c').position, { epoch: 'b', seq: 3 });
});

test('an epoch that came back for good is taken in the end', () => {
  const store = storeAt('a', 100);
  store.apply(snapshot('b', 3));
  let asked = 0;
  while (store.get('c').position !== null && asked < 20) { store.connected(0); store.check(told('a', 100), 0, 0); asked += 1; }
  assert.equal(asked, 6);
  assert.equal(store.apply(snapshot('a', 100)), 'applied');
});

test('whatever order faults bring, a position never goes back within an epoch', () => {
  let seed = 42;
  const chance = (n) => (seed = (seed * 16_807) % 2_147_483_647) % n;
  for (let round = 0; round < 200; round += 1) {
    const store = storeAt('a', 1), highest = {};
    for (let i = 0; i < 60; i += 1) {
      const epoch = 'ab'[chance(2)], seq = 1 + chance(12);
      if (chance(10) === 0) store.connected(0);
      store.apply(chance(3) === 0 ? snapshot(epoch, seq) : delta(epoch, seq, seq + 1 + chance(2)));
      const { position } = store.get('c');
      if (position === null) { delete highest.a; delete highest.b; continue; } // a snapshot was asked for
      assert.ok(position.seq >= (highest[position.epoch] ?? 0), JSON.stringify(position));
      assert.equal(store.get('c').state.rows.get('k').n, position.seq);
      highest[position.epoch] = position.seq;
    }
  }
});
