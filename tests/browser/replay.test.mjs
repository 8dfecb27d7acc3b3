/* The player: what a replay shows at each time, on a clock that the test moves. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { HELD_MAX, Player, replayAsked } from '../../assets/live/replay.mjs';
import { Store } from '../../assets/live/store.mjs';

const BEGIN = 1_000_000;

/** An archive of one counting row a channel, by commit times, answering `most` frames at once; and a player over it. */
function world({ commits = { a: [], b: [] }, from = BEGIN, end = BEGIN + 600_000, most = 100, archived = Infinity, epochs = () => 'e' } = {}) {
  const made = { archived, now: 0, asked: [], shown: [], failing: false, held: [], store: new Store() };
  const state = (name, i) => ({ rows: { n: { value: i === 0 ? null : commits[name][i - 1] } } });
  const ask = async (channel, { since, until, after }, signal) => {
    made.asked.push({ channel, since, until, after, signal });
    if (made.holding) await new Promise((resolve, reject) => {
      made.held.push(resolve);
      signal.addEventListener('abort', () => reject(new Error('aborted')));
    });
    if (made.failing) throw new Error('503');
    const times = commits[channel], first = times.filter((at) => at < since).length;
    const reached = Math.max(since, Math.min(until, made.archived)), due = times.slice(first).filter((at) => at < reached), kept = due.slice(0, most);
    const follows = after && after.seq === first && after.epoch === epochs(first);
    const snapshot = { op: 'snapshot', channel, kind: 'latest', epoch: epochs(first), seq: first, keep: {}, data: state(channel, first), times: { processed: times[first - 1] ?? 0 } };
    const deltas = kept.map((at, i) => ({
      op: 'delta', channel, epoch: epochs(first + i + 1), after: first + i, seq: first + i + 1, data: { set: { n: { value: at } } }, times: { processed: at },
    }));
    const frames = deltas.map((one, i) => (one.epoch === epochs(first + i) ? one : { ...snapshot, epoch: one.epoch, seq: one.seq, data: state(channel, one.seq), times: one.times }));
    return { how: 'recorded', gaps: made.gaps ?? [], frames: follows ? frames : [snapshot, ...frames], complete_until: kept.length < due.length ? due[kept.length] : reached };
  };
  made.store.want(Object.keys(commits), 0);
  made.player = new Player({
    ask, from, end, now: () => made.now,
    show(frames, isFresh) {
      if (isFresh) made.store.rewind();
      for (const frame of frames) made.shown.push(made.store.apply(frame));
    },
  });
  made.value = (name = 'a') => made.store.get(name).state.rows.get('n').value;
  made.open = (at = from) => made.player.seek(at, Object.keys(commits));
  /** Lets time pass as a page does, and answers come. */
  made.pass = async (ms, every = 50) => {
    for (let done = 0; done < ms; done += every) {
      made.now += every;
      made.player.tick();
      await settle();
    }
  };
  return made;
}

const settle = async () => { for (let i = 0; i < 6; i += 1) await Promise.resolve(); };
const every = (ms, count, from = BEGIN) => Array.from({ length: count }, (_, i) => from + (i + 1) * ms);

test('a replay begins with what was shown at its time, paused', async () => {
  const { open, value, player, pass } = world({ commits: { a: [BEGIN - 5_000, BEGIN, BEGIN + 1_000], b: [] } });
  assert.equal(await open(), true);
  assert.equal(value('a'), BEGIN);
  assert.equal(value('b'), null);
  await pass(5_000);
  assert.deepEqual([player.at, player.isPlaying, value('a')], [BEGIN, false, BEGIN]);
});

test('it plays each commit at its time, at the speed that was chosen', async () => {
  const { open, value, player, pass } = world({ commits: { a: every(1_000, 300), b: every(2_500, 100) } });
  await open();
  player.play();
  await pass(3_000);
  assert.deepEqual([player.at, value('a'), value('b')], [BEGIN + 3_000, BEGIN + 3_000, BEGIN + 2_500]);
  player.setSpeed(10);
  await pass(3_000);
  assert.deepEqual([player.at, value('a')], [BEGIN + 33_000, BEGIN + 33_000]);
  player.setSpeed(0.25);
  await pass(4_000);
  assert.equal(player.at, BEGIN + 34_000);
  player.pause();
  await pass(4_000);
  assert.equal(player.at, BEGIN + 34_000);
});

test('parts join without a seam, and every commit is applied once', async () => {
  const { open, value, player, pass, shown, asked } = world({ commits: { a: every(100, 5_000), b: every(700, 700) }, most: 90 });
  await open();
  player.setSpeed(5);
  player.play();
  await pass(60_000);
  assert.equal(player.at, BEGIN + 300_000);
  assert.deepEqual([value('a'), value('b')], [BEGIN + 300_000, BEGIN + 299_600]);
  assert.deepEqual(new Set(shown), new Set(['applied']));
  assert.equal(shown.length, 2 + 3_000 + 428);
  assert.ok(asked.filter(({ after }) => after !== null).length > 30);
});

test('what is held stays bounded however long it plays', async () => {
  const { open, player, pass } = world({ commits: { a: every(5, 60_000), b: [] }, end: BEGIN + 300_000, most: 3_000 });
  await open();
  player.play();
  player.setSpeed(60);
  let most = 0;
  for (let i = 0; i < 400 && !player.isOver; i += 1) {
    await pass(50);
    most = Math.max(most, player.held);
  }
  assert.ok(player.isOver);
  assert.ok(most > 3_000 && most <= HELD_MAX + 3_000, `${most} frames`);
});

test('without frames it waits, and goes on from where it was', async () => {
  const made = world({ commits: { a: every(1_000, 300), b: [] }, most: 10 });
  await made.open();
  made.player.play();
  made.holding = true;
  await made.pass(30_000);
  assert.deepEqual([made.player.at, made.player.isWaiting], [BEGIN + 10_999, true]);
  made.holding = false;
  made.held.splice(0).forEach((go) => go());
  await settle();
  await made.pass(2_000);
  assert.equal(made.player.at, BEGIN + 12_999);
  assert.equal(made.value('a'), BEGIN + 12_000);
});

test('a step shows the next commit of any channel, and one back what was before the last', async () => {
  const { open, value, player } = world({ commits: { a: [BEGIN + 10, BEGIN + 400_000], b: [BEGIN + 7_000] }, most: 1 });
  await open();
  await player.stepForward();
  assert.deepEqual([player.at, value('a'), value('b')], [BEGIN + 10, BEGIN + 10, null]);
  await player.stepForward();
  assert.deepEqual([player.at, value('b')], [BEGIN + 7_000, BEGIN + 7_000]);
  await player.stepForward(); // minutes later
  assert.deepEqual([player.at, value('a')], [BEGIN + 400_000, BEGIN + 400_000]);
  await player.stepBack();
  assert.deepEqual([player.at, value('a'), value('b')], [BEGIN + 7_000, BEGIN + 10, BEGIN + 7_000]);
  await player.stepBack();
  assert.deepEqual([player.at, value('a'), value('b')], [BEGIN + 10, BEGIN + 10, null]);
  await player.stepBack();
  assert.deepEqual([player.at, value('a')], [BEGIN, null]);
  await player.stepBack();
  assert.equal(player.at, BEGIN);
});

test('after the last commit a step shows the end', async () => {
  const { open, player } = world({ commits: { a: [BEGIN + 10], b: [] } });
  await open(BEGIN + 10);
  await player.stepForward();
  assert.deepEqual([player.at, player.isOver, player.loading], [BEGIN + 600_000, true, null]);
});

test('one goes back as well as forth, through epochs that the store has left', async () => {
  const epochs = (seq) => (seq < 5 ? 'first' : 'second');
  const { open, value, player, pass, store } = world({ commits: { a: every(1_000, 20), b: [] }, epochs });
  await open();
  player.play();
  await pass(10_000);
  assert.deepEqual(store.get('a').position, { epoch: 'second', seq: 10 });
  for (const seconds of [3, 19, 4, 5, 0, 20]) {
    assert.equal(await player.seek(BEGIN + 1_000 * seconds), true);
    assert.equal(value('a'), seconds === 0 ? null : BEGIN + 1_000 * seconds);
    assert.deepEqual(store.get('a').position, { epoch: epochs(seconds), seq: seconds });
  }
});

test('a newer seek takes the place of one that is under way, and a cancelled one leaves what was shown', async () => {
  const made = world({ commits: { a: every(1_000, 100), b: [] } });
  await made.open();
  made.holding = true;
  const former = made.player.seek(BEGIN + 50_000);
  const newer = made.player.seek(BEGIN + 20_000);
  assert.equal(await former, false);
  assert.deepEqual(made.player.loading, { done: 0, of: 2 });
  made.player.cancel();
  assert.equal(await newer, false);
  assert.deepEqual([made.player.at, made.value('a'), made.player.loading, made.player.trouble], [BEGIN, null, null, '']);
  assert.ok(made.asked.slice(2).every(({ signal }) => signal.aborted));
});

test('an archive that fails stops the replay and says so', async () => {
  const made = world({ commits: { a: every(1_000, 100), b: [] }, most: 5 });
  await made.open();
  made.player.play();
  made.failing = true;
  await made.pass(10_000);
  assert.deepEqual([made.player.isPlaying, made.player.trouble], [false, '503']);
  made.failing = false;
  await made.player.seek(made.player.at);
  assert.equal(made.player.trouble, '');
  made.player.play();
  await made.pass(10_000);
  assert.ok(made.value('a') > BEGIN + 9_000);
});

test('a gap is told while it is shown', async () => {
  const made = world({ commits: { a: every(1_000, 100), b: [] } });
  made.gaps = [{ since: BEGIN + 5_000, until: BEGIN + 8_000, events: 0, reason: 'deltas_trimmed' }];
  await made.open();
  assert.equal(made.player.gapOf('a'), null);
  made.player.play();
  await made.pass(6_000);
  assert.equal(made.player.gapOf('a').reason, 'deltas_trimmed');
  await made.pass(3_000);
  assert.equal(made.player.gapOf('a'), null);
});

test('what the archive does not hold yet is waited for, and asked for once a second', async () => {
  const made = world({ commits: { a: every(1_000, 20), b: [] }, end: BEGIN + 10_000, archived: BEGIN + 2_001 }), { player } = made;
  await made.open();
  player.play();
  await made.pass(6_000);
  assert.deepEqual([made.value(), player.isWaiting, player.isOver], [BEGIN + 2_000, true, false]);
  assert.ok(made.asked.length <= 2 * 8, `${made.asked.length} questions`);
  made.archived = Infinity;
  await made.pass(12_000);
  assert.deepEqual([made.value(), player.isOver], [BEGIN + 10_000, true]);
});

test('a step beyond what is archived says so', async () => {
  const made = world({ commits: { a: every(1_000, 20), b: [] }, end: BEGIN + 10_000, archived: BEGIN + 1 }), { player } = made;
  await made.open();
  await player.stepForward();
  assert.deepEqual([player.at, player.trouble], [BEGIN, 'the archive has not come further yet']);
});

test('the end stops it', async () => {
  const { open, player, pass } = world({ commits: { a: every(1_000, 20), b: [] }, end: BEGIN + 5_000 });
  await open();
  player.play();
  await pass(8_000);
  assert.deepEqual([player.at, player.isPlaying, player.isOver], [BEGIN + 5_000, false, true]);
});

test('an address asks for a replay by a time in either form', () => {
  const now = Date.parse('2026-03-01T12:00:00Z'), at = now - 7_200_000;
  assert.deepEqual(replayAsked('?replay=2026-03-01T10:00:00Z', now), { from: at, until: at + 3_600_000, speed: 1 });
  assert.deepEqual(replayAsked(`?replay=${at}&until=${at + 1}&speed=10`, now), { from: at, until: at + 1, speed: 10 });
  assert.equal(replayAsked(`?replay=${now - 1}`, now).from, now - 1);
  assert.deepEqual(replayAsked(`?replay=${now + 99}&speed=7`, now), { from: now - 1_000, until: now, speed: 1 });
  assert.equal(replayAsked('?replay=soon', now), null);
  assert.equal(replayAsked('', now), null);
});
