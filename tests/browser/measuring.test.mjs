/* What a viewer experiences is measured by channel and page, and a tab that nobody sees measures nothing. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { ServerClock } from '../../assets/live/clock.mjs';
import { linkOf } from '../../assets/live/freshness.mjs';
import { Measuring, watchInteractions } from '../../assets/live/measuring.mjs';
import { Telemetry } from '../../assets/live/telemetry.mjs';

/** A viewer of /flights whose clock the test advances; the server is 10 s ahead of it. */
function viewer() {
  const world = { page: '/flights', now: 1_000, hidden: false, polling: false, frames: [], telemetry: new Telemetry() };
  const clock = new ServerClock();
  for (let n = 0; n < 4; n += 1) clock.sample(0, 0, 10_000);
  world.measuring = new Measuring({
    telemetry: world.telemetry, clock, now: () => world.now, isHidden: () => world.hidden, page: () => world.page,
    isPolling: () => world.polling, onFrame: (act) => world.frames.push(act),
  });
  world.lines = () => Object.fromEntries(world.telemetry.report(true).lines.map(
    ([stage, channel, page, [zeros, bins], transport]) => [stage, { channel, page, zeros, transport, n: zeros + bins.filter((_, i) => i % 2).reduce((a, b) => a + b, 0), bins }],
  ));
  return world;
}

const delta = (sent) => ({ op: 'delta', channel: 'flights.board', times: { created: [sent - 100, sent], sent } });
const near = (line, seconds) => {
  const bin = Math.ceil(Math.log(seconds) / Math.log(1.01 / 0.99));
  assert.ok(line.bins.some((n, i) => i % 2 === 0 && Math.abs(n - bin) <= 1), `${JSON.stringify(line)} holds ${seconds} s`);
};

test('each stage of a delta is measured by channel and page', () => {
  const world = viewer(), job = { group: 'text', seen: true, waiting: [] };
  world.measuring.trip(30);
  world.measuring.applied(delta(10_950), 1_000);
  world.measuring.awaitPaint(job, delta(10_950), 1_000);
  world.now = 1_016;
  world.measuring.painted(job, 1_016);
  const lines = world.lines();
  assert.deepEqual([lines.created_to_painted.channel, lines.created_to_painted.page], ['flights.board', '/flights']);
  near(lines.created_to_received, 0.15);
  near(lines.sent_to_received, 0.05);
  near(lines.created_to_painted, 0.166);
  near(lines.applied_to_painted, 0.016);
  near(lines.painted_less_network, 0.151); // pings show 15 ms of the 50 to be the network's
  near(lines.round_trip, 0.03);
});

test('of some painted frames it is told when, by the server\'s clock, the newest two of a channel', () => {
  const world = viewer(), job = { group: 'text', seen: true, waiting: [] };
  for (const seq of [5, 6, 7]) {
    world.measuring.awaitPaint(job, { ...delta(10_950), epoch: 'k3f9', after: seq - 1, seq }, 1_000);
  }
  world.now = 1_016;
  world.measuring.painted(job, 1_016);
  const { samples } = world.telemetry.report(true);
  assert.deepEqual(samples, [
    ['flights.board', '/flights', 'k3f9', 5, 6, 10_950, 11_000, 11_016],
    ['flights.board', '/flights', 'k3f9', 6, 7, 10_950, 11_000, 11_016],
  ]);
  assert.equal(world.telemetry.report(true).samples, undefined);
});

test('the interval between two changes is measured, not over a time in which nobody looked', () => {
  const world = viewer();
  world.measuring.applied(delta(10_950), 1_000);
  world.measuring.applied(delta(12_950), 3_000);
  near(world.lines().update_interval, 2);
  world.hidden = true;
  world.measuring.look({});
  world.hidden = false;
  world.measuring.applied(delta(62_950), 63_000);
  assert.equal(world.lines().update_interval, undefined);
});

test('view seconds are counted fresh or not, and the age of what is shown with them', () => {
  const world = viewer();
  const look = (fresh) => { world.now += 1_000; world.measuring.look({ 'flights.board': fresh }); };
  look({ state: 'live', age_ms: 400 });
  for (let n = 0; n < 3; n += 1) look({ state: 'live', age_ms: 400 });
  look({ state: 'stale', age_ms: 9_000, cause: 'worker_down' });
  look({ state: 'quiet', age_ms: 90_000 });
  look({ state: 'late', age_ms: 5_000, cause: 'source_silent' });
  look({ state: 'connecting', age_ms: null });
  const { view_second: seen, event_age: age, event_age_upstream: upstream } = world.lines();
  assert.deepEqual([seen.n, seen.zeros, age.n, age.zeros, upstream.n], [6, 4, 5, 1, 1]);
  near(age, 9);
});

test('a page that slept does not make up for the seconds that it missed', () => {
  const world = viewer(), live = { 'flights.board': { state: 'live', age_ms: 0 } };
  world.measuring.look(live);
  world.now += 600_000;
  world.measuring.look(live);
  assert.equal(world.lines().view_second.n, 2);
});

test('a hidden tab measures nothing', () => {
  const world = viewer(), job = { group: 'text', seen: true, waiting: [] };
  world.hidden = true;
  world.measuring.applied(delta(10_950), 1_000);
  world.measuring.awaitPaint(job, delta(10_950), 1_000);
  world.measuring.want(['flights.board'], 0);
  world.measuring.cut(1_000);
  world.now += 5_000;
  world.measuring.look({ 'flights.board': { state: 'live', age_ms: 0 } });
  world.measuring.shown(['flights.board']);
  world.measuring.proven();
  assert.deepEqual(world.lines(), {});
  assert.equal(job.waiting.length, 0);
});

test('a first value counts once, from when the page wanted it to the frame that shows it', () => {
  const world = viewer();
  world.measuring.want(['flights.board'], 0);
  world.measuring.shown([]);
  world.measuring.shown(['flights.board', 'flights.board']); // in two tiles
  world.now = 1_500;
  world.frames.splice(0).forEach((act) => act());
  world.measuring.want(['flights.board'], 2_000);
  world.measuring.shown(['flights.board']);
  const line = world.lines().first_value;
  assert.equal(line.n, 1);
  near(line, 1.5);
  assert.equal(world.frames.length, 0);
  world.measuring.want([], 3_000);
  world.measuring.want(['flights.board'], 3_000);
  world.measuring.shown(['flights.board']);
  assert.equal(world.frames.length, 0); // drawn anew
  world.page = '/board';
  world.measuring.want(['flights.board'], 4_000);
  world.measuring.shown(['flights.board']);
  assert.equal(world.frames.length, 1);
});

test('a reconnect lasts from the loss of the link to the first frame that proves what is shown', () => {
  const world = viewer();
  world.measuring.proven();
  world.measuring.cut(1_000);
  world.measuring.cut(2_000);
  world.now = 4_000;
  world.measuring.proven();
  world.measuring.proven();
  const line = world.lines().reconnect;
  assert.equal(line.n, 1);
  near(line, 3);
});

test('an interaction lasts as long as its longest event, and those too short to be told count as well', () => {
  const world = viewer();
  for (const duration of [24, 208, 16]) world.measuring.click({ interactionId: 7, duration });
  world.measuring.click({ interactionId: 0, duration: 900 });
  world.measuring.settle(5);
  const line = world.lines().interaction;
  assert.deepEqual([line.n, line.zeros], [5, 4]);
  near(line, 0.208);
  world.measuring.settle(5);
  assert.deepEqual(world.lines(), {});
});

test('a browser without Event Timing is measured from the input to the frame after it', () => {
  const world = viewer(), listeners = {};
  watchInteractions({
    addEventListener: (type, act) => { listeners[type] = act; },
    requestAnimationFrame: (act) => act(), setTimeout: (act) => { world.now += 40; act(); },
  }, world.measuring);
  listeners.click({ timeStamp: 1_000 });
  near(world.lines().interaction, 0.04);
});

test('what is measured by long poll says so', () => {
  const world = viewer();
  world.polling = true;
  world.measuring.trip(30);
  assert.equal(world.lines().round_trip.transport, 'poll');
});

test('a link counts as cut a second after it was lost', () => {
  const lost = { cutAt: 1_000, cause: 'link', state: 'waiting', isPolling: false };
  assert.deepEqual(linkOf(lost, 1_900, 50_000), { isCut: false, isPolling: false, cause: 'link', since: null });
  assert.deepEqual(linkOf(lost, 3_000, 50_000), { isCut: true, isPolling: false, cause: 'link', since: 48_000 });
});
