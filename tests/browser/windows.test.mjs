/* Windows: from when to when a value goes, which of them is open, and that an open one is compared with no full one. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { openStretch, restatedPoints, traceOf } from '../../assets/live/chart.mjs';
import { changeOf, soFar, trendPaths, whyNothing } from '../../assets/live/tile.mjs';
import { thinned } from '../../assets/live/points.mjs';
import { comparedInWords, complete, newestOf, openFrom, restatedInWords, restatedOf, windowInWords, windowOf } from '../../assets/live/windows.mjs';

const HOUR = 3_600_000, START = 500_000 * HOUR;
const rows = (row) => ({ rows: new Map([['all', row]]) });
const series = (...newest) => ({ series: new Map(newest.map((at, i) => [`s${i}`, { t: [at - 5_000, at], v: [1, 2] }])) });

test('a row says itself from when to when its window goes; a table speaks by any of its rows', () => {
  const row = { window_start: START, window_end: START + HOUR };
  assert.deepEqual(windowOf({ window_ms: HOUR, windows: 1, key: 'all' }, rows(row)), { start: START, end: START + HOUR });
  assert.deepEqual(windowOf({ window_ms: HOUR, windows: 1 }, rows(row)), { start: START, end: START + HOUR });
  assert.equal(windowOf({ window_ms: HOUR, windows: 1, key: 'none' }, rows(row)), null);
});

test('the window of a chart is that of its newest point, with all windows that it goes over', () => {
  assert.deepEqual(windowOf({ window_ms: 5_000, windows: 12 }, series(START, START + 5_000)), { start: START - 50_000, end: START + 10_000 });
  assert.equal(windowOf({ window_ms: 5_000, windows: 12 }, series()), null);
});

test('a tile without a value says why: nothing came, or what came has no such value', () => {
  assert.equal(whyNothing(undefined, { missing: 'nothing is counted yet' }), 'no events');
  assert.equal(whyNothing({ met: '0 of 0' }, { missing: 'nothing is counted yet' }), 'nothing is counted yet');
});

test('single events have no window', () => {
  assert.equal(windowOf({}, series(START)), null);
});

test('an open window says how much of it has passed, and when its time is over that only an event closes it', () => {
  const open = windowInWords({ start: START, end: START + HOUR }, { window_ms: HOUR }, START + HOUR / 2);
  assert.match(open, /; open and incomplete: 30 min of 1 h have passed$/);
  assert.match(windowInWords({ start: START, end: START + HOUR }, { window_ms: HOUR }, START + 2 * HOUR), /its time is over since .+ until an event of the next one comes$/);
});

test('of a window that moves in steps the newest step is what is incomplete', () => {
  const words = windowInWords({ start: START, end: START + 60_000 }, { window_ms: 5_000, windows: 12 }, START + 57_000);
  assert.match(words, /the newest step, from \d\d:\d\d:55, is open and incomplete: 2\.0 s of 5\.0 s have passed$/);
});

/** Points of an hour each from START on. */
const hours = (...v) => ({ t: v.map((_, i) => START + i * HOUR), v });
const HOURLY = { window_ms: HOUR, windows: 1, span_ms: 10 * HOUR };

test('the open window is that of the newest point of all series; single events are never open', () => {
  const { series: all } = series(START, START + 5_000);
  assert.equal(openFrom(all, { window_ms: 5_000 }), START + 5_000);
  assert.equal(openFrom(all, { window_ms: null }), Infinity);
  assert.equal(newestOf(new Map()), -Infinity);
});

test('an open window is compared with no full one, nor is one that began before the first event', () => {
  const points = hours(3, 100, 110, 120, 7), { v } = complete(points, START + 4 * HOUR, HOURLY);
  assert.deepEqual(v, [100, 110, 120], 'the first may lack what came before, the last what is to come');
  assert.equal(changeOf(complete(points, START + 4 * HOUR, HOURLY), { decimals: 0 }).text, '+20 in 2 h');
});

test('where older points have left, the oldest that is shown is complete', () => {
  const { v } = complete(hours(90, 100, 110, 7), START + 3 * HOUR, { ...HOURLY, span_ms: 3 * HOUR });
  assert.deepEqual(v, [90, 100, 110]);
});

test('a window over several steps is complete once it reaches back to no time before the first event', () => {
  assert.deepEqual(complete(hours(1, 2, 3, 4, 5, 6), START + 5 * HOUR, { ...HOURLY, windows: 3 }).v, [4, 5]);
});

test('single events are compared as they are', () => {
  assert.deepEqual(complete(hours(1, 2), Infinity, { window_ms: null, span_ms: HOUR }).v, [1, 2]);
});

test('what is compared is said by the ends of its windows', () => {
  const all = new Map([['orders', hours(3, 100, 110, 120, 7)]]), trend = { ...HOURLY, series: 'orders' };
  assert.match(comparedInWords(all, trend), /^the complete window that ended at .+ less the one that ended at .+; the open one is not compared$/);
  assert.equal(comparedInWords(all, { ...trend, series: 'none' }), null);
});

test('a tile of a single window says since when it counts; one of many steps says it in its details', () => {
  assert.match(soFar({ window_start: START }, { window_ms: HOUR, windows: 1 }), /^so far, since \d\d:\d\d:\d\d$/);
  assert.equal(soFar({ window_start: START }, { window_ms: HOUR, windows: 2 }), '');
  assert.equal(soFar(undefined, { window_ms: HOUR, windows: 1 }), '');
});

test('a sparkline goes to the point of the open window in a stroke of its own', () => {
  const { closed, open } = trendPaths({ t: [0, 1, 2], v: [1, 3, 2] }, 2);
  assert.deepEqual([closed, open], ['M0.0 23.0L50.0 1.0', 'M50.0 1.0L100.0 12.0']);
  assert.equal(trendPaths({ t: [0, 1, 2], v: [1, null, 2] }, 2).open, '', 'no stroke over a gap');
});

test('thinning keeps the last point apart, as it may be of the open window', () => {
  const many = { t: Array.from({ length: 1_000 }, (_, i) => i), v: Array.from({ length: 1_000 }, (_, i) => i % 7) };
  assert.equal(thinned(many, 120).t.at(-1), 999);
});

test('the last stretch of a line to an open window is dashed, of a group that has ended it is not', () => {
  const trace = (x, y) => ({ x, y });
  const { x, y, line, hoverinfo } = openStretch([trace([1, 2], [5, 6]), trace([0, 1], [7, 8]), trace([1, 2], [null, 3])], { surface: 'white' });
  assert.deepEqual([x, y, line.color, hoverinfo], [[1, 2, 2], [5, 6, null], 'white', 'skip']);
});

test('pointed at, an open point says that it is incomplete', () => {
  const spec = { unit: 'min' }, palette = { series: ['red'] };
  const trace = traceOf({ t: [1, 2], v: [1, 2] }, { label: 'a', place: 0, palette, spec, note: (at) => (at === 2 ? ' (open)' : '') });
  assert.deepEqual(trace.text, ['', ' (open)']);
  assert.equal(trace.hovertemplate, '%{y:,.1f} min%{text}<extra>a</extra>');
});

test('a restated value says how often late events changed it', () => {
  assert.deepEqual([0, undefined, 1, 2, 3].map(restatedInWords), ['', '', 'restated once', 'restated twice', 'restated 3 times']);
  assert.equal(soFar({ restated: 2 }, { window_ms: HOUR, windows: 12 }), '↺ restated twice');
});

test('the details say of a row, of rows and of points what was restated, and nothing where nothing was', () => {
  assert.match(restatedOf({ key: 'all' }, rows({ restated: 2 })), /^restated twice: late events changed/);
  assert.match(restatedOf({}, rows({ restated: 1 })), /^1 row restated: /);
  const marks = { series: new Map(), restated: new Map([['a', new Map([[START, 1], [START + HOUR, 4]])], ['b', new Map([[START, 1]])]]) };
  assert.match(restatedOf({}, marks), /^3 points restated; the newest of \d\d:\d\d:\d\d, 4 times: /);
  assert.deepEqual([restatedOf({ key: 'all' }, rows({})), restatedOf({}, { series: new Map(), restated: new Map() }), restatedOf({}, undefined)], ['', '', '']);
});

test('restated points are marked by a shape on their line', () => {
  const { x, y, marker } = restatedPoints([{ x: 1, y: 2, color: 'red' }]);
  assert.deepEqual([x, y, marker.symbol, marker.color], [[1], [2], 'diamond-open', ['red']]);
});
