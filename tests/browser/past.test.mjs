/* Past: what the archive tells and what the store holds are one line: each point once, none missing, gaps as gaps. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { standingInWords } from '../../assets/live/lookback.mjs';
import { Freeze } from '../../assets/live/pause.mjs';
import { Past } from '../../assets/live/past.mjs';
import { Refused, Turns, readCourse } from '../../assets/live/reading.mjs';
import { Store } from '../../assets/live/store.mjs';
import { View } from '../../assets/live/view.mjs';
import { localTime, traceOf } from '../../assets/live/chart.mjs';
import { aheadAt, useZone } from '../../assets/live/zone.mjs';

const SPAN = 60_000, STEP = 1_000, KEEP = { span_ms: SPAN, points_max: 500 };

/** A number that chance made, the same in each run. */
function dice(seed) {
  let state = seed;
  return (sides) => { state = (state * 1_103_515_245 + 12_345) % 2_147_483_648; return Math.floor((state / 2_147_483_648) * sides); };
}

/** A channel with its truth, its store and its archive: two lines, restated and late points, an archive that lags. */
function world({ seed = 1, lag = 0, keep = KEEP } = {}) {
  const roll = dice(seed), store = new Store(), truth = new Map([['a', new Map()], ['b', new Map()]]);
  const made = { store, truth, seq: 0, epoch: 'e1', at: 0, archive: [], lag, frames: [] };
  store.want(['c'], 0);
  store.apply({ op: 'snapshot', channel: 'c', kind: 'series', keep, epoch: 'e1', seq: 0, data: { points: {} } });
  made.commit = (points, { isLost = false } = {}) => {
    for (const [name, pairs] of Object.entries(points)) for (const [t, v] of pairs) truth.get(name).set(t, v);
    made.seq += 1;
    made.archive.push({ epoch: made.epoch, seq: made.seq, points });
    const frame = { op: 'delta', channel: 'c', epoch: made.epoch, after: made.seq - 1, seq: made.seq, data: { points } };
    if (!isLost) { store.apply(frame); made.frames.push(frame); }
    return frame;
  };
  /** A second passes: the open point of one line is restated, now and then an older one as well. */
  made.pass = () => {
    made.at += STEP;
    const points = { a: [[made.at, roll(100)]], b: roll(3) === 0 ? [[made.at, roll(100)]] : [] };
    if (roll(4) === 0 && made.at > 5 * STEP) points.a.unshift([made.at - (1 + roll(4)) * STEP, roll(100)]);
    if (roll(50) === 0 && made.at > SPAN) points.b.unshift([made.at - SPAN + roll(3) * STEP - STEP, roll(100)]);
    points.a.sort((x, y) => x[0] - y[0]);
    return made.commit(points);
  };
  /** What the archive knows of [since, until). */
  made.part = (since, until) => {
    const known = made.archive.slice(0, made.archive.length - made.lag), lines = {};
    for (const { points } of known) {
      for (const [name, pairs] of Object.entries(points)) {
        for (const [t, v] of pairs) if (t >= since && t < until) (lines[name] ??= new Map()).set(t, v);
      }
    }
    const points = Object.fromEntries(Object.entries(lines).map(([name, line]) => [name, [...line].sort((x, y) => x[0] - y[0])]));
    const last = known[known.length - 1];
    return { since, until, by: 'row', points, gaps: [], position: last ? { epoch: last.epoch, seq: last.seq } : null };
  };
  made.state = () => store.get('c').state.series;
  made.position = () => store.get('c').position;
  /** What the joined line has to be: everything in the window, each point once with its last value. */
  made.wanted = (name, window_ms) => {
    const line = [...truth.get(name)].filter(([t]) => t >= made.at - window_ms).sort((x, y) => x[0] - y[0]);
    return { t: line.map(([t]) => t), v: line.map(([, v]) => v) };
  };
  return made;
}

const past = (more = {}) => new Past({ window_ms: 600_000, gap_ms: null, points: 10_000, ...more });

for (const [lag, words] of [[0, 'that is up to date'], [30, 'that lags behind']]) {
  test(`an archive ${words} and the live tail are one line, value by value, whenever the archive answers`, () => {
    for (let seed = 1; seed <= 40; seed += 1) {
      const one = world({ seed, lag }), joined = past({ window_ms: 200_000 });
      for (let i = 0; i < 400; i += 1) one.pass();
      joined.begin(one.state(), one.position());
      const asked = [], until = joined.until;
      for (let i = 0; i < 50; i += 1) {
        if (i === 10) asked.push(one.part(until - 40_000, until));
        if (i === 30) asked.push(one.part(until - 500_000, until - 40_000));
        joined.applied(one.pass().data.points);
      }
      for (const part of asked) joined.add(part);
      assert.ok(joined.joins(asked[0]));
      for (let i = 0; i < 100; i += 1) joined.applied(one.pass().data.points);
      for (const name of ['a', 'b']) assert.deepEqual(joined.line(name), one.wanted(name, 200_000), `seed ${seed}, ${name}`);
    }
  });
}

test('an archive that ends before the live state begins is not joined, and the line is torn there', () => {
  const one = world({ lag: 100 }), joined = past();
  for (let i = 0; i < 300; i += 1) one.pass();
  joined.begin(one.state(), one.position());
  const part = one.part(0, joined.until);
  assert.equal(joined.joins(part), false);
  joined.isTorn = true;
  joined.add(part);
  const { t, v } = joined.line('a'), hole = v.indexOf(null);
  assert.deepEqual([t[hole - 1], t[hole + 1]], [200_000, 240_000]);
});

test('a channel that was young enough to be whole in the live state needs no archive', () => {
  const joined = past().begin(new Map(), { epoch: 'e', seq: 0 });
  assert.ok(joined.joins({ position: null, points: {} }));
});

test('parts are joined with a gap only where there is one', () => {
  const joined = past({ gap_ms: 5_000, window_ms: 100_000 }).begin(new Map([['a', { t: [90_000, 91_000], v: [1, 2] }]]), { epoch: 'e', seq: 9 });
  const part = (since, until, points) => ({ since, until, by: 'row', points: { a: points }, gaps: [], position: { epoch: 'e', seq: 9 } });
  joined.add(part(50_000, 91_001, [[60_000, 3], [89_000, 4], [90_000, 99]]));
  joined.add(part(0, 50_000, [[10_000, 5], [20_000, 6]]));
  assert.deepEqual(joined.line('a'), {
    t: [10_000, 20_000, 20_001, 60_000, 89_000, 90_000, 91_000], v: [5, 6, null, 3, 4, 1, 2],
  });
});

test('deltas that were lost between two parts, or before the live state, are a gap also in a line that may be quiet', () => {
  const joined = past().begin(new Map([['a', { t: [90_000], v: [1] }]]), { epoch: 'e', seq: 9 });
  const part = (since, until, points, lost) => ({
    since, until, by: 'row', points: { a: points }, position: { epoch: 'e', seq: 9 }, gaps: lost.map((at) => ({ since: at, until: at + 9, reason: 'deltas_trimmed' })),
  });
  joined.add(part(50_000, 90_001, [[60_000, 3], [80_000, 4]], [80_000]));
  joined.add(part(0, 50_000, [[10_000, 5], [20_000, 6]], [30_000]));
  assert.deepEqual(joined.line('a').v, [5, 6, null, 3, 4, null, 1]);
});

test('what is known to be missing is told where a line has a gap because of it', () => {
  const joined = past({ gap_ms: 5_000 }).begin(new Map([['a', { t: [90_000], v: [1] }]]), { epoch: 'e', seq: 9 });
  const gaps = [{ since: 21_000, until: 59_000, reason: 'deltas_trimmed' }, { since: 1_000, until: 2_000, reason: 'shed' }];
  const points = { a: [[1_000, 1], [2_000, 1], [20_000, 6], [20_001, null], [60_000, 3], [89_000, 4]] };
  joined.add({ since: 0, until: 90_001, by: 'row', points, gaps, position: { epoch: 'e', seq: 9 } });
  assert.deepEqual(joined.gaps().map(({ reason }) => reason), ['deltas_trimmed']);
});

test('a page that stays open keeps its memory: what grows old is thinned, and keeps peaks, gaps and seams', () => {
  const joined = past({ window_ms: 5_000_000, gap_ms: 5_000, points: 500 }).begin(new Map([['a', { t: [0], v: [0] }]]), { epoch: 'e', seq: 1 });
  joined.add({ since: -1, until: 1, by: 'row', points: {}, gaps: [], position: { epoch: 'e', seq: 1 } });
  for (let i = 1; i <= 60_000; i += 1) {
    const isPeak = i === 57_123, isGap = i > 56_000 && i <= 56_100;
    if (!isGap) joined.applied({ a: [[i * 1_000, isPeak ? 1_000 : i % 7]] });
  }
  const { t, v } = joined.line('a');
  assert.ok(t.length < 3_500, `${t.length}`);
  assert.ok(t[0] >= 55_000_000 && t[0] <= 55_100_000);
  assert.deepEqual(t, [...t].sort((x, y) => x - y));
  assert.equal(new Set(t).size, t.length);
  assert.ok(v.includes(1_000));
  assert.equal(v.filter((one) => one === null).length, 1);
  const hole = v.indexOf(null);
  assert.ok(t[hole - 1] <= 56_000_000 && t[hole + 1] > 56_100_000);
});

test('across a change of clocks a line has neither a seam nor an hour twice', () => {
  useZone('America/New_York');
  const change = Date.UTC(2013, 2, 10, 7), t = Array.from({ length: 9 }, (_, i) => change + (i - 4) * 1_800_000);
  const { x } = traceOf({ t, v: t.map(() => 1) }, { label: 'a', place: 0, palette: { series: [] }, spec: {} });
  assert.deepEqual(x.slice(1).map((at, i) => at - x[i]), Array(8).fill(1_800_000));
  assert.equal(x[8], localTime(t[8]));
  assert.notEqual(aheadAt(t[0]), aheadAt(t[8]));
  useZone('UTC');
});

// ---- reading ----

const answer = (body, status = 200) => ({ ok: status < 400, status, headers: { get: () => '2' }, json: async () => body });

test('a course is read part by part, the newest first, and tells how far it is', async () => {
  const asked = [], shares = [];
  const ask = async (path) => {
    const { searchParams } = new URL(path, 'http://host'), until = Number(searchParams.get('until'));
    asked.push([until, Number(searchParams.get('points'))]);
    return answer({ since: Math.max(0, until - 400), points: {} });
  };
  await readCourse({ ask, channel: 'a.b:c/d', since: 0, until: 1_000, points: 1_000, onPart: (_, share) => shares.push(share), signal: new AbortController().signal });
  assert.deepEqual(asked, [[1_000, 1_000], [600, 600], [200, 200]]);
  assert.deepEqual(shares, [0.4, 0.8, 1]);
});

test('a busy archive is asked again, a refusal is told in words, and reading can be stopped', async () => {
  const waits = [], answers = [answer({ error: 'busy' }, 503), answer({ since: 0, points: {} })];
  const question = { channel: 'c', since: 0, until: 10, points: 100, onPart: () => {} };
  const { signal } = new AbortController();
  await readCourse({ ...question, signal, ask: async () => answers.shift(), later: async (ms) => { waits.push(ms); } });
  assert.deepEqual(waits, [2_000]);
  await assert.rejects(readCourse({ ...question, signal, ask: async () => answer({ error: 'no_history', detail: 'keeps none' }, 404) }), new Refused('keeps none'));
  const stop = new AbortController();
  const stopped = readCourse({ ...question, signal: stop.signal, ask: async () => { stop.abort(); return answer({ since: 5, points: {} }); } });
  await assert.rejects(stopped, { name: 'AbortError' });
});

test('the charts of a page read one after the other, also after one that failed', async () => {
  const turns = new Turns(), order = [];
  const act = (name, fails) => async () => { order.push(`${name} begins`); await null; order.push(`${name} ends`); if (fails) throw new Error(name); };
  await Promise.allSettled([turns.take(act('first', true)), turns.take(act('second', false))]);
  assert.deepEqual(order, ['first begins', 'first ends', 'second begins', 'second ends']);
});

// ---- view ----

/** A chart's view over a world; `read` answers when the test says so. */
function viewed(one, more = {}) {
  const questions = [], spec = {
    channel: 'c', span_ms: SPAN, kept_ms: SPAN, gap_ms: null, history_ms: 2_000_000,
    lookback: [[SPAN, '1 min'], [200_000, '200 s'], [1_000_000, '1000 s']],
  };
  const read = (question) => new Promise((done, failed) => { questions.push({ ...question, done, failed }); });
  const view = new View({}, { ...spec, ...more }, { store: one.store, read, later: () => {}, onChange: () => {} });
  view.answer = async () => {
    const { since, until, onPart, done } = questions.shift();
    onPart(one.part(since, until), 1);
    done();
    await new Promise(setImmediate);
  };
  return Object.assign(view, { questions, pass: () => view.applied(one.pass()) });
}

test('a chosen window is the joined line, and its own span the live one again', async () => {
  const one = world(), view = viewed(one);
  for (let i = 0; i < 300; i += 1) one.pass();
  const series = () => one.state().get('a');
  assert.deepEqual(view.line('a', series()), one.wanted('a', SPAN));
  view.show('200s');
  assert.ok(view.isReading);
  for (let i = 0; i < 20; i += 1) view.pass();
  await view.answer();
  assert.deepEqual([view.isReading, view.label, view.trouble], [false, '200 s', '']);
  for (let i = 0; i < 300; i += 1) view.pass();
  for (const name of ['a', 'b']) assert.deepEqual(view.line(name, one.state().get(name)), one.wanted(name, 200_000));
  view.show(null);
  assert.deepEqual(view.line('a', series()), one.wanted('a', SPAN));
});

test('after a snapshot of another epoch the past is read anew, and nothing is missing or twice', async () => {
  const one = world(), view = viewed(one);
  for (let i = 0; i < 200; i += 1) one.pass();
  view.show('200s');
  await view.answer();
  for (let i = 0; i < 100; i += 1) { one.at += STEP; one.commit({ a: [[one.at, i]] }, { isLost: true }); }
  Object.assign(one, { epoch: 'e2', seq: 7 });
  const data = { points: { a: one.wanted('a', SPAN).t.map((t) => [t, one.truth.get('a').get(t)]) } };
  const frame = { op: 'snapshot', channel: 'c', kind: 'series', keep: KEEP, epoch: 'e2', seq: 7, data };
  one.store.apply(frame);
  one.archive.push({ epoch: 'e2', seq: 7, points: {} });
  view.applied(frame);
  for (let i = 0; i < 20; i += 1) view.pass();
  await view.answer();
  for (let i = 0; i < 20; i += 1) view.pass();
  assert.deepEqual(view.line('a'), one.wanted('a', 200_000));
});

test('a chart says that it reads, from when on there is something, and that the archive lags behind', async () => {
  const one = world(), view = viewed(one);
  for (let i = 0; i < 300; i += 1) one.pass();
  assert.equal(standingInWords(view), '');
  view.show('200s');
  assert.equal(standingInWords(view), 'Reading 200 s');
  await view.answer();
  assert.equal(standingInWords(view), '');
  view.show('1000s');
  await view.answer();
  assert.match(standingInWords(view), /^Nothing before .*:00:01$/);
  view.past.isTorn = true;
  assert.equal(standingInWords(view), 'The archive is behind: it is asked again');
});

test('what is stopped or could not be read leaves the live line, and can be read again', async () => {
  const one = world(), view = viewed(one);
  for (let i = 0; i < 200; i += 1) one.pass();
  view.show('200s');
  const { signal, failed } = view.questions.shift();
  failed(new Refused('the archive is away'));
  await new Promise(setImmediate);
  assert.deepEqual([view.trouble, view.isReading, signal.aborted], ['the archive is away', false, false]);
  assert.deepEqual(view.line('a'), one.wanted('a', SPAN));
  view.again();
  assert.equal(view.trouble, '');
  await view.answer();
  assert.deepEqual(view.line('a'), one.wanted('a', 200_000));
  view.show('1000s');
  const question = view.questions.shift();
  view.show(null);
  assert.ok(question.signal.aborted);
  assert.equal(view.isReading, false);
});

test('a paused chart that looks back stays as it was, however often it is painted, and then shows all of it', async () => {
  const one = world(), view = viewed(one), freeze = new Freeze(0);
  for (let i = 0; i < 300; i += 1) one.pass();
  view.show('200s');
  await view.answer();
  for (let i = 0; i < 20; i += 1) view.pass();
  const held = ['a', 'b'].map((name) => one.wanted(name, 200_000));
  freeze.take(one.store.get('c'));
  view.held = () => freeze.get('c');
  for (let i = 0; i < 50; i += 1) view.pass();
  ['a', 'b'].forEach((name, i) => assert.deepEqual(view.line(name, freeze.get('c').state.series.get(name)), held[i]));
  view.held = () => undefined;
  for (const name of ['a', 'b']) assert.deepEqual(view.line(name, one.state().get(name)), one.wanted(name, 200_000));
});

test('the period before lies under the present one, point for point, and ends where that does', async () => {
  const one = world(), view = viewed(one);
  for (let i = 0; i < 600; i += 1) one.pass();
  view.show('200s');
  view.compare(true);
  await view.answer();
  await view.answer();
  for (let i = 0; i < 10; i += 1) view.pass();
  const { t, v } = view.before('a'), truth = one.truth.get('a');
  assert.deepEqual(t, one.wanted('a', 200_000).t);
  assert.deepEqual(v, t.map((at) => truth.get(at - 200_000)));
  for (let i = 0; i < 20; i += 1) view.pass(); // further than was read ahead: it is read anew
  assert.equal(view.questions.length, 1);
  await view.answer();
  assert.deepEqual(view.before('a').t, one.wanted('a', 200_000).t);
  view.compare(false);
  assert.equal(view.before('a'), null);
});

test('a history that does not reach two windows back is not compared', () => {
  const one = world(), view = viewed(one, { history_ms: 1_500_000 });
  one.pass();
  view.show('1000s');
  assert.equal(view.canCompare, false);
  view.compare(true);
  assert.equal(view.before('a'), null);
});
