/* What badges and banner say, and how often they may change it. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { Watch, badgeDetail, badgeText, bannerOf, judge } from '../../assets/live/freshness.mjs';

const NOW = 1_700_000_000_000, OPEN = { isCut: false }, SINCE = NOW - 35_000;
const channel = (fields = {}) => ({
  name: 'flights.board', state: {}, refused: null, createdAt: NOW - 400, position: { epoch: 'k3f9', seq: 12 }, ...fields,
});

test('a live channel says how old its newest event is', () => {
  const fresh = judge(channel(), { state: 'live', cause: null }, OPEN, NOW);
  assert.equal(badgeText(fresh), 'live 0.4 s');
  assert.match(badgeDetail(fresh), /^Last event \d\d:\d\d:\d\d .+\nState live$/);
});

test('a reduced rate is said', () => {
  assert.equal(badgeText(judge(channel(), { state: 'live', rate_hz: 2 }, OPEN, NOW)), 'live 0.4 s, reduced to 2 Hz');
});

test('what the gateway says of a source is passed on with cause and since when', () => {
  const fresh = judge(channel(), { state: 'stale', cause: 'source_error', detail: 'HTTP 502', since: SINCE, backlog: 0 }, OPEN, NOW);
  assert.match(badgeDetail(fresh), /State stale since \d\d:\d\d:\d\d: the source reports an error \(HTTP 502\)/);
});

test('a badge in trouble names the cause of its own channel in a word or two', () => {
  const said = (told) => badgeText(judge(channel(), { backlog: 0, since: SINCE, ...told }, OPEN, NOW));
  const causes = ['broker_down', 'worker_down', 'source_error', 'source_silent', 'source_late', 'rejecting'];
  assert.deepEqual(causes.map((cause) => said({ state: 'stale', cause })), [
    'broker down', 'worker down', 'source error', 'source silent', 'source late', 'rejecting',
  ].map((words) => `stale 0.4 s, ${words}`));
  assert.equal(said({ state: 'late', cause: 'backlog', backlog: 3_400 }), 'late 0.4 s, 3,400 behind');
  for (const cause of ['link', 'unreachable', 'gateway', 'full', 'signed_out', 'forbidden', 'refused']) {
    const words = badgeText(judge(channel(), { state: 'live' }, { isCut: true, cause, since: SINCE }, NOW));
    assert.match(words, /^offline since .+, [a-z ]+$/, 'a word and no code');
    assert.ok(!words.includes('_'));
  }
});

test('a cut link is offline whatever the gateway said last', () => {
  const fresh = judge(channel(), { state: 'live' }, { isCut: true, cause: 'link', since: SINCE }, NOW);
  assert.equal(fresh.state, 'offline');
  assert.match(badgeText(fresh), /^offline since \d\d:\d\d:\d\d, your link$/);
});

test('a channel without a snapshot or word from the gateway is still connecting', () => {
  assert.equal(judge(channel({ state: null }), { state: 'live' }, OPEN, NOW).state, 'connecting');
  assert.equal(judge(channel(), undefined, OPEN, NOW).state, 'connecting');
  assert.equal(badgeText(judge(channel({ refused: 'unknown_channel' }), undefined, OPEN, NOW)), 'not available');
});

test('a channel that never had an event has no age', () => {
  assert.equal(badgeText(judge(channel({ createdAt: null }), { state: 'quiet' }, OPEN, NOW)), 'quiet');
});

const banner = (...all) => bannerOf(Object.fromEntries(all.map((fresh, i) => [`${fresh.feed ?? 'flights'}.c${i}`, { backlog: 0, age_ms: 400, ...fresh }])));

test('the banner is empty while all is well', () => {
  assert.deepEqual(banner({ state: 'live' }, { state: 'quiet' }), { state: 'live', key: 'live', text: '', said: '' });
  assert.equal(bannerOf({}).text, '');
  assert.deepEqual([banner({ state: 'connecting' }, { state: 'live' }).state, banner({ state: 'connecting' }).text], ['connecting', '']);
});

test('a backlog is said in seconds and events', () => {
  const { state, text, said } = banner({ state: 'late', cause: 'backlog', age_ms: 12_000, backlog: 3_400, since: SINCE }, { state: 'live' });
  assert.equal(said, 'Live feed delayed, events wait to be processed (flights).', 'no figure that grows is read out');
  assert.equal(state, 'late');
  assert.match(text, /^Live feed delayed by 12 s, 3,400 events behind since \d\d:\d\d:\d\d \S+ \(flights\)\.$/);
});

test('the worst state speaks, and names every feed that has it', () => {
  const stale = { state: 'stale', cause: 'source_silent', since: SINCE };
  const { state, text } = banner({ state: 'late', cause: 'backlog' }, { ...stale, feed: 'host' }, { ...stale, since: SINCE - 5_000 });
  assert.equal(state, 'stale');
  assert.match(text, /^Stale since \d\d:\d\d:\d\d \S+, flights, host: the source gives no sign of life\. The last values stay visible\.$/);
});

test('of two causes the first in the fixed precedence speaks', () => {
  const { text } = banner({ state: 'stale', cause: 'source_silent' }, { state: 'stale', cause: 'broker_down' });
  assert.match(text, /the broker cannot be reached/);
});

test('texts change at once with the state, ages once a second', () => {
  const watch = new Watch(), wanted = [channel()];
  watch.heartbeat({ 'flights.board': { state: 'live' } });
  assert.equal(watch.look(wanted, OPEN, NOW, 0).channels['flights.board'].state, 'live');
  assert.equal(watch.look(wanted, OPEN, NOW + 250, 250), null);
  assert.notEqual(watch.look(wanted, OPEN, NOW + 1_000, 1_000), null);
  watch.heartbeat({ 'flights.board': { state: 'late', cause: 'backlog', backlog: 10, since: NOW } });
  assert.equal(watch.look(wanted, OPEN, NOW + 1_250, 1_250).banner.state, 'late');
});

test('a banner of the same cause changes its text at most each five seconds', () => {
  const watch = new Watch(), wanted = [channel()], texts = new Set();
  watch.heartbeat({ 'flights.board': { state: 'late', cause: 'backlog', backlog: 10, since: NOW } });
  for (let at = 0; at < 10_000; at += 250) {
    const shown = watch.look(wanted, OPEN, NOW + at, at);
    if (shown) texts.add(shown.banner.text);
  }
  assert.equal(texts.size, 2);
});
