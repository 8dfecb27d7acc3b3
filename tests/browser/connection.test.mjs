/* The connection on a clock of the test's own: backoff, watchdogs, probes and the reasons for being cut. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { ServerClock } from '../../assets/live/clock.mjs';
import { afterClose, backoff_ms } from '../../assets/live/connection.mjs';
import { installTap, readFrame } from '../../assets/live/tap.mjs';
import { makeWorld, settle } from './world.mjs';

test('an opened socket is subscribed on and pinged', () => {
  const world = makeWorld();
  world.connection.connect();
  const socket = world.open();
  world.advance(1_500);
  assert.equal(world.connection.state, 'open');
  assert.deepEqual(socket.sent.map(({ op }) => op), ['subscribe', ...Array(5).fill('ping')]);
});

test('a cut connection comes back by itself after a jittered wait', () => {
  const world = makeWorld();
  world.connection.connect();
  world.open().fire('close', { code: 1006 });
  assert.equal(world.connection.state, 'waiting');
  world.advance(124);
  assert.equal(world.urls.length, 1);
  world.advance(2);
  assert.equal(world.urls.length, 2);
  assert.notEqual(world.urls[0], world.urls[1]);
});

test('the wait lies anywhere between nothing and a bound that doubles up to 15 s', () => {
  assert.equal(backoff_ms(0, () => 0), 0);
  assert.equal(backoff_ms(0, () => 1), 250);
  assert.equal(backoff_ms(3, () => 1), 2_000);
  assert.equal(backoff_ms(50, () => 1), 15_000);
  assert.equal(backoff_ms(0, () => 0.5, 5_000), 5_125);
});

test('frames alone do not reset the backoff, a heartbeat interval of good connection does', () => {
  const world = makeWorld();
  world.connection.connect();
  for (let i = 0; i < 4; i += 1) {
    world.open().fire('close', { code: 1006 });
    world.advance(15_000);
  }
  assert.equal(world.connection.attempt, 4);
  const socket = world.open();
  world.advance(1_100);
  world.say(socket, { op: 'heartbeat', channels: {} });
  assert.equal(world.connection.attempt, 0);
});

test('signed out and forbidden are not retried', () => {
  for (const [code, cause] of [[4401, 'signed_out'], [4403, 'forbidden'], [4400, 'refused']]) {
    const world = makeWorld();
    world.connection.connect();
    world.open().fire('close', { code });
    world.advance(100_000);
    assert.equal(world.connection.state, 'ended');
    assert.equal(world.connection.cause, cause);
    assert.equal(world.urls.length, 1);
  }
});

test('a full server is given time', () => {
  assert.equal(afterClose(1013), 'later');
  assert.equal(afterClose(4429), 'later');
  for (const code of [1001, 1006, 1011, 1012, 4000, 4408]) assert.equal(afterClose(code), 'retry');
});

test('a socket that closes before it opens asks for the session first', async () => {
  const world = makeWorld();
  world.status = 401;
  world.connection.connect();
  world.socket().fire('close', { code: 1006 });
  await settle();
  world.advance(100_000);
  assert.equal(world.connection.state, 'ended');
  assert.equal(world.connection.cause, 'signed_out');
  assert.equal(world.urls.length, 1);
});

test('the cause is told apart: no network, no answer, or a server that answers', async () => {
  for (const [online, status, cause] of [[false, 0, 'link'], [true, 0, 'unreachable'], [true, 502, 'gateway'], [true, 200, 'gateway']]) {
    const world = makeWorld();
    Object.assign(world, { online, status });
    world.connection.connect();
    world.socket().fire('close', { code: 1006 });
    await settle();
    assert.equal(world.connection.cause, cause);
    assert.equal(world.connection.state, 'waiting');
    world.advance(300);
    assert.equal(world.urls.length, 2);
  }
});

test('a silent socket is given up within 2.5 heartbeats', () => {
  const world = makeWorld();
  world.connection.connect();
  const socket = world.open();
  for (let i = 0; i < 9; i += 1) { world.advance(250); world.connection.tick(); }
  assert.equal(socket.closedWith, undefined);
  world.advance(300);
  world.connection.tick();
  assert.deepEqual(socket.closedWith, { code: 4000, reason: 'silent' });
  assert.equal(world.connection.state, 'waiting');
});

test('a tab that was frozen first reads what has arrived meanwhile', () => {
  const world = makeWorld();
  world.connection.connect();
  const socket = world.open();
  world.connection.tick();
  world.advance(60_000);
  world.connection.tick();
  assert.equal(socket.closedWith, undefined);
  world.advance(60_000);
  world.connection.tick();
  assert.equal(socket.closedWith.code, 4000);
});

test('when the network changes an open socket must answer a ping, and a long wait is cut short', () => {
  const world = makeWorld();
  world.connection.connect();
  const socket = world.open();
  world.connection.nudge();
  for (let i = 0; i < 11; i += 1) {
    world.advance(250);
    world.say(socket, { op: 'heartbeat', channels: {} });
    world.connection.tick();
  }
  assert.equal(socket.closedWith.reason, 'silent');
  world.connection.attempt = 8;
  world.random = 1;
  world.advance(15_000);
  world.open().fire('close', { code: 1006 });
  const { length } = world.urls;
  world.connection.nudge();
  world.advance(600);
  assert.equal(world.urls.length, length + 1);
});

test('frames of a socket that was given up are dropped', () => {
  const world = makeWorld();
  world.connection.connect();
  const socket = world.open();
  world.connection.drop('gap');
  const { length } = world.frames;
  world.say(socket, { op: 'delta' });
  assert.equal(world.frames.length, length);
});

test('a socket that never answers is given up', () => {
  const world = makeWorld();
  world.connection.connect();
  const socket = world.socket();
  world.advance(10_100);
  world.connection.tick();
  assert.equal(socket.closedWith.reason, 'no answer');
});

test('the clock offset comes from the least round trip of the last eight', () => {
  const clock = new ServerClock();
  assert.ok(Number.isNaN(clock.at(0)));
  clock.sample(0, 100, 1_000_080);
  clock.sample(200, 210, 1_000_205);
  clock.sample(300, 420, 1_000_410);
  assert.equal(clock.at(1_000), 1_001_000);
  assert.equal(clock.best.trip, 10);
  for (let i = 0; i < 8; i += 1) clock.sample(1_000, 1_050, 2_001_025);
  assert.equal(clock.at(1_000), 2_001_000);
});

test('latencies are measured once four answers have come', () => {
  const clock = new ServerClock();
  for (let i = 0; i < 3; i += 1) clock.sample(0, 10, 1_000_005);
  assert.equal(clock.isSettled, false);
  clock.sample(0, 10, 1_000_005);
  assert.equal(clock.isSettled, true);
});

test('a machine that slept makes the clock ask anew', () => {
  const clock = new ServerClock();
  clock.sample(0, 10, 1_000_005);
  assert.equal(clock.checkSleep(1_000, 501_000), false);
  assert.equal(clock.checkSleep(2_000, 502_000), false);
  assert.equal(clock.checkSleep(3_000, 900_000), true);
  assert.equal(clock.known, false);
});

test('the tap sees every frame first and lets only control frames through', () => {
  class Native extends EventTarget {
    constructor(url) { super(); this.url = url; }
  }
  const scope = { WebSocket: Native }, seen = [], sockets = [], through = [];
  const remove = installTap(scope, '/live', { onSocket: (socket) => sockets.push(socket), onFrame: (_, frame) => seen.push(frame.op) });
  const other = new scope.WebSocket('ws://here/other'), ours = new scope.WebSocket('ws://here/live?try=1');
  assert.deepEqual(sockets, [ours]);
  for (const socket of [other, ours]) socket.addEventListener('message', (event) => through.push(event.data));
  const say = (socket, data) => socket.dispatchEvent(Object.assign(new Event('message'), { data }));
  for (const op of ['hello', 'snapshot', 'delta', 'heartbeat', 'pong', 'error']) say(ours, JSON.stringify({ op }));
  say(ours, 'not json');
  say(other, 'theirs');
  assert.deepEqual(seen, ['hello', 'snapshot', 'delta', 'heartbeat', 'pong', 'error', undefined]);
  assert.deepEqual(through, ['{"op":"hello"}', '{"op":"heartbeat"}', '{"op":"error"}', 'theirs']);
  remove();
  assert.equal(scope.WebSocket, Native);
  assert.deepEqual(readFrame('[1]'), [1]);
  assert.deepEqual(readFrame('null'), {});
});
