/* Painters: how a painter is told what changed and what it does with it: bars, states, cells and ranges from what a channel
   holds, and what a component says whose painter fails or never comes. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { barsOf } from '../../assets/live/bar.mjs';
import { chosenSpec } from '../../assets/live/choice.mjs';
import { worstOf } from '../../assets/live/freshness.mjs';
import { byFields, overTime, rangeOf, shadeOf } from '../../assets/live/heat_map.mjs';
import { countsOf, medianOf, rangeInWords, rangesFor, roundWidth, valuesOf } from '../../assets/live/histogram.mjs';
import { OWN, Painters, changedKeys, groupOf, itemsOf } from '../../assets/live/painters.mjs';
import { stepFrom } from '../../assets/live/readout.mjs';
import { shownRows } from '../../assets/live/shown.mjs';
import { Latest, Log, Series } from '../../assets/live/state.mjs';
import { countedInWords, stateLevel, statesOf } from '../../assets/live/status_list.mjs';

const latest = (rows) => { const state = new Latest(); state.load({ rows }); return state; };
const series = (points) => { const state = new Series(); state.load({ points }); return state; };

/** A section with a place, a line for trouble, and nothing else. */
function section() {
  const place = { children: [], replaceChildren() { this.children = []; } }, trouble = { textContent: '', childNodes: [] }, marks = {};
  return {
    place, trouble, marks,
    querySelector: (selector) => ({ '[data-place]': place, '[data-trouble]': trouble })[selector] ?? null,
    toggleAttribute: (name, on) => { marks[name] = on; },
  };
}

function painted(spec, states) {
  const element = section(), added = [];
  const painters = new Painters({
    view: () => ({ get: (name) => (states[name] ? { state: states[name] } : undefined) }), time: () => 7, onAdded: () => added.push(1),
  });
  const full = { also: [], every_ms: 100, options: {}, ...spec };
  return { element, painters, added, job: painters.jobOf(element, full) };
}

const saw = () => {
  const seen = [];
  return { seen, mount: (place, spec) => ({ place, spec }), paint: (own, given) => { seen.push(given); } };
};

test('a painter is mounted once, and told the state and the keys that changed since it painted last', () => {
  const states = { a: latest({ x: { v: 1 }, y: { v: 2 } }) }, { painters, job, element } = painted({ paint: 'gauge', channel: 'a' }, states), own = saw();
  painters.add('gauge', own);
  assert.notEqual(job.paint(), false);
  states.a.apply({ set: { x: { v: 3 } }, del: ['y'] });
  job.paint();
  assert.equal(own.seen[0].changed, true);
  assert.deepEqual([...own.seen[1].changed].sort(), ['x', 'y']);
  assert.deepEqual(own.seen[1].state.rows.get('x'), { v: 3 });
  assert.equal(own.seen[1].time, 7);
  assert.equal(element.marks['data-empty'], false);
});

test('a painter that could not paint yet is told the same changes once more', () => {
  const states = { a: latest({ x: { v: 1 } }) }, { painters, job } = painted({ paint: 'gauge', channel: 'a' }, states), own = saw();
  let isReady = false;
  painters.add('gauge', { ...own, paint: (mine, given) => { own.paint(mine, given); return isReady; } });
  assert.equal(job.paint(), false);
  isReady = true;
  job.paint();
  assert.deepEqual(own.seen.map(({ changed }) => changed), [true, true]);
});

test('changed lines of a series and new entries of a log are told as changed rows are', () => {
  const state = series({ 'p:a': [[1, 1]], 'p:b': [[1, 2]] }), before = itemsOf(state);
  state.apply({ points: { 'p:a': [[1, 5]] } });
  assert.deepEqual([...changedKeys(before, itemsOf(state))], ['p:a'], 'a point that was changed in its place as well');
  const log = new Log({ entries_max: 2 });
  log.load({ entries: [{ id: 'a', created_at: 1 }, { id: 'b', created_at: 2 }] });
  const entries = itemsOf(log);
  log.apply({ entries: [{ id: 'c', created_at: 3 }] });
  assert.deepEqual([...changedKeys(entries, itemsOf(log))].sort(), ['a', 'c']);
});

test('a component without a first value is empty, and its painter is not called', () => {
  const { painters, job, element } = painted({ paint: 'gauge', channel: 'a' }, {}), own = saw();
  painters.add('gauge', own);
  assert.equal(job.paint(), true);
  assert.equal(element.marks['data-empty'], true);
  assert.deepEqual(own.seen, []);
});

test('further channels are handed over beside the first, whether they are known or not', () => {
  const states = { a: latest({ x: {} }) }, { painters, job } = painted({ paint: 'gauge', channel: 'a', also: ['b'] }, states), own = saw();
  painters.add('gauge', own);
  job.paint();
  assert.equal(own.seen[0].also[0].state, null);
  assert.deepEqual(job.channels, ['a', 'b']);
});

test('rows that a choice leaves out are not among those that a painter sees', () => {
  const rows = latest({ x: { shop: 'north' }, y: { shop: 'south' } }), only = { field: 'shop', value: 'north' };
  assert.deepEqual([...itemsOf(rows, { only }).keys()], ['x']);
});

test('lines of other groups than the chosen one are not among those that a painter sees', () => {
  const lines = series({ 'p:a': [[1, 1]], 'p:b:c': [[1, 2]], 'q:a': [[1, 3]] });
  assert.deepEqual([...itemsOf(lines, { names: ['a'] }).keys()], ['p:a', 'q:a']);
  assert.deepEqual([...itemsOf(lines, { names: ['b:c'] }).keys()], ['p:b:c']);
});

test('a painter that fails is told of on its component, and begins anew', () => {
  const states = { a: latest({ x: { v: 1 } }) }, { painters, job, element } = painted({ paint: 'gauge', channel: 'a' }, states);
  let mounts = 0, isBroken = true;
  painters.add('gauge', { mount: () => { mounts += 1; }, paint: () => { if (isBroken) throw new Error('no such field'); } });
  assert.throws(() => job.paint(), /no such field/);
  assert.match(element.trouble.textContent, /cannot be drawn: no such field/);
  isBroken = false;
  job.paint();
  assert.equal(element.trouble.textContent, '');
  assert.equal(mounts, 2);
});

test('a painter that never comes is told of, once nothing more can come', async () => {
  const { painters, job, element, added } = painted({ paint: 'gauge', channel: 'a' }, {});
  assert.equal(job.paint(), false);
  assert.equal(element.trouble.textContent, '', 'its module may still be loading');
  const { error } = console;
  console.error = () => {};
  await painters.load(['broken.mjs'], () => Promise.reject(new Error('404')));
  console.error = error;
  assert.equal(added.length, 1);
  assert.equal(job.paint(), false);
  assert.match(element.trouble.textContent, /painters\/gauge\.mjs/);
});

test('a painter is refused that is called like one of the house or cannot paint', () => {
  const { painters } = painted({ paint: 'gauge', channel: 'a' }, {});
  assert.throws(() => painters.add('bar', saw()), /a painter of the house/);
  assert.throws(() => painters.add('Gauge!', saw()), /lower-case letters/);
  assert.throws(() => painters.add('gauge', { paint() {} }), /mount\(place, spec\)/);
});

test('what is painted a few times a second rests by itself, a text goes with the tiles', () => {
  assert.deepEqual([{ paint: 'bar', every_ms: 100 }, { paint: 'live_text', every_ms: 0 }, { paint: 'tile' }, { paint: 'chart', every_ms: 250 }].map(groupOf),
    ['painted', 'text', 'text', 'chart']);
});

test('every painter of the house has a mount and a paint', () => {
  for (const [name, one] of Object.entries(OWN)) assert.equal(`${typeof one.mount} ${typeof one.paint}`, 'function function', name);
});

const BAR = { value: 'n', label: ['shop'], top: 2, scale: 1, bounds: null };

test('bars are the greatest rows, as long as their share, and say how many more there are', () => {
  const rows = new Map([['a', { shop: 'A', n: 5 }], ['b', { shop: 'B', n: 10 }], ['c', { shop: 'C', n: 1 }], ['d', { shop: 'D', n: null }]]);
  const { bars, more } = barsOf(rows, BAR);
  assert.deepEqual(bars.map(({ name, from, to }) => [name, from, to]), [['B', 0, 1], ['A', 0, 0.5]]);
  assert.equal(more, 1);
  assert.deepEqual(barsOf(rows, { ...BAR, ascending: true }).bars.map(({ name }) => name), ['C', 'A']);
});

test('negative bars lead to the left of zero, and bounds fix what a full bar is', () => {
  const rows = new Map([['a', { n: -5 }], ['b', { n: 15 }]]);
  assert.deepEqual(barsOf(rows, BAR).bars.map(({ key, from, to }) => [key, from, to]), [['b', 0.25, 1], ['a', 0, 0.25]]);
  assert.deepEqual(barsOf(rows, { ...BAR, bounds: [0, 30] }).bars.map(({ to }) => to), [0.5, 0]);
  assert.deepEqual(barsOf(new Map([['a', { n: 0 }]]), BAR).bars.map(({ from, to }) => [from, to]), [[0, 0]]);
});

test('rows of equal value keep one order', () => {
  const rows = new Map([['b', { n: 1 }], ['a', { n: 1 }]]);
  assert.deepEqual(barsOf(rows, BAR).bars.map(({ key }) => key), ['a', 'b']);
});

const STATES = { state: { field: 's', type: 'text' }, label: [], words: { up: 'ok', down: 'bad', slow: 'warn' }, thresholds: [], direction: 'above', scale: 1 };

test('what is wrong stands first, what nobody named is unknown and before what is fine', () => {
  const rows = new Map(Object.entries({ a: 'up', b: 'down', c: 'odd', d: 'slow', e: 'up' }).map(([key, s]) => [key, { s }]));
  const states = statesOf(rows, STATES);
  assert.deepEqual(states.map(({ key, level }) => `${key} ${level}`), ['b bad', 'd warn', 'c none', 'a ok', 'e ok']);
  assert.equal(countedInWords(states), '1 bad · 1 warning · 1 unknown · 2 fine');
});

test('a state is by limits where it is a number, in the unit that is shown; one without a value is unknown', () => {
  const limits = { words: {}, thresholds: [{ at: 50, level: 'warn' }, { at: 90, level: 'bad' }], direction: 'above', scale: 100 };
  assert.deepEqual([0.4, 0.5, 0.95, null].map((raw) => stateLevel(raw, limits)), ['ok', 'warn', 'bad', 'none']);
  assert.equal(stateLevel(true, { ...limits, thresholds: [], words: { yes: 'ok' } }), 'ok');
});

test('cells over time hold the newest value of each step, and the newest step is open', () => {
  const lines = series({ 'v:b': [[0, 9], [10_000, 1], [14_000, 2], [31_000, 4]], 'v:a': [[22_000, null], [23_000, 3]], 'w:a': [[1, 1]] }).series;
  const { xs, ys, at } = overTime(lines, { value: 'v', step_ms: 10_000, columns: 3, by: true });
  assert.deepEqual(ys, ['a', 'b']);
  assert.deepEqual(ys.map((_, y) => xs.map((_x, x) => at(y, x))), [[null, 3, null], [2, null, 4]]);
  assert.deepEqual(xs.map(({ isOpen }) => isOpen), [false, false, true]);
  assert.deepEqual(overTime(new Map(), { value: 'v', step_ms: 10_000, columns: 3, by: true }).ys, []);
});

test('cells by two fields are in the order of their names, and those without a row have no value', () => {
  const rows = new Map([['1', { d: 'b', h: 10, n: 1 }], ['2', { d: 'a', h: 9, n: 2 }], ['3', { d: 'a', h: 10, n: 0 }]]);
  const options = { value: 'n', x: { field: 'h', type: 'integer' }, y: { field: 'd', type: 'text' } }, { xs, ys, at } = byFields(rows, options);
  assert.deepEqual([xs.map(({ label }) => label), ys], [['9', '10'], ['a', 'b']]);
  assert.deepEqual([at(0, 0), at(0, 1), at(1, 0), at(1, 1)], [2, 0, null, 1]);
});

test('a shade is a share of the range; no value has none, and what lies outside has the last', () => {
  assert.deepEqual([0, 5, 10, 99, -1].map((one) => shadeOf(one, [0, 10])), ['1', '5', '8', '8', '1']);
  assert.equal(shadeOf(null, [0, 10]), '');
  assert.equal(shadeOf(3, [3, 3]), '1');
  assert.deepEqual(rangeOf({ xs: [0, 1], ys: [0], at: (_, x) => [4, null][x] }), [4, 4]);
});

test('ranges have a round width, hold every value and stay where they are', () => {
  assert.equal(roundWidth(0, 97, 20), 5);
  const first = rangesFor([1, 99], { bins: 10 });
  assert.deepEqual(first, { from: 0, width: 10, count: 10 });
  assert.equal(rangesFor([20, 80], { bins: 10 }, first), first, 'other values within them');
  assert.notEqual(rangesFor([20, 180], { bins: 10 }, first), first, 'a value outside');
  assert.notEqual(rangesFor([20, 22], { bins: 10 }, first), first, 'most would be empty');
  assert.deepEqual(countsOf([0, 9, 10, 99.9], first), [2, 1, 0, 0, 0, 0, 0, 0, 0, 1]);
});

test('equal values, fractions and values below zero have ranges too', () => {
  for (const values of [[5, 5], [0, 0], [0.001, 0.0023], [-7, -3], [-0.5, 1e6], [1e-9, 1e-9]]) {
    const ranges = rangesFor(values, { bins: 12 });
    assert.ok(ranges.count <= 12 && ranges.count >= 1, String(values));
    assert.equal(countsOf(values, ranges).reduce((a, b) => a + b), 2, String(values));
    assert.ok(ranges.from <= Math.min(...values) && ranges.from + ranges.width * ranges.count > Math.max(...values), String(values));
  }
});

test('declared bounds gather what lies outside in ranges that say so', () => {
  const options = { bins: 4, bounds: [0, 8], unit: 's' }, ranges = rangesFor([-5, 1, 100], options);
  assert.deepEqual(countsOf([-5, 1, 100], ranges), [2, 0, 0, 1]);
  assert.deepEqual([0, 1, 3].map((i) => rangeInWords(i, ranges, options)), ['under 2\u00a0s', '2 to under 4\u00a0s', '6\u00a0s or more']);
});

test('values of rows, of entries and of lines are counted, those that are none are not', () => {
  assert.deepEqual(valuesOf({ rows: new Map([['a', { v: 1 }], ['b', {}], ['c', { v: null }]]) }, { value: 'v', scale: 2 }), [2]);
  assert.deepEqual(valuesOf({ entries: [{ v: 3 }] }, { value: 'v' }), [3]);
  assert.deepEqual(valuesOf(series({ 'v:a': [[1, 1], [2, null]], 'v:b': [[1, 4]], 'w:a': [[1, 9]] }), { value: 'v' }), [1, 4]);
  assert.deepEqual([medianOf([3, 1, 2]), medianOf([4, 1, 2, 3]), medianOf([])], [2, 2.5, null]);
});

test('arrow keys go from cell to cell and stay inside; other keys do nothing', () => {
  assert.deepEqual(stepFrom(null, 'ArrowRight', 2, 3), { y: 0, x: 0 });
  assert.deepEqual(stepFrom({ y: 0, x: 2 }, 'ArrowRight', 2, 3), { y: 0, x: 2 });
  assert.deepEqual(stepFrom({ y: 0, x: 2 }, 'ArrowDown', 2, 3), { y: 1, x: 2 });
  assert.deepEqual(stepFrom({ y: 1, x: 2 }, 'Home', 2, 3), { y: 1, x: 0 });
  assert.equal(stepFrom({ y: 0, x: 0 }, 'a', 2, 3), null);
  assert.equal(stepFrom(null, 'ArrowRight', 0, 0), null);
});

test('a component of several channels is as fresh as the least fresh of them', () => {
  const channels = { a: { state: 'live' }, b: { state: 'stale' }, c: { state: 'late' } };
  assert.equal(worstOf(channels, ['a', 'b', 'c']).state, 'stale');
  assert.equal(worstOf(channels, ['a', 'unknown']).state, 'live');
  assert.equal(worstOf(undefined, ['a']), undefined);
});

test('a component of several channels follows a choice with all of them', () => {
  const spec = { paint: 'live_text', channel: 'a', also: ['b'], choice: { field: 'shop', channel: 'a_by', also: ['b_by'] } };
  const { channel, also } = chosenSpec(spec, 'north');
  assert.deepEqual([channel, also], ['a_by:north', ['b_by:north']]);
});

test('a file holds what a painter says is shown, else all rows that it was given', () => {
  const rows = { a: { shop: 'A', n: 5 }, b: { shop: 'B', n: 10 }, c: { shop: 'C', n: 1 } };
  const spec = { paint: 'bar', fields: [{ field: 'shop' }, { field: 'n' }], options: BAR, only: null };
  assert.deepEqual(shownRows(spec, latest(rows), { painter: OWN.bar }).rows.map(({ key }) => key), ['b', 'a']);
  const { columns, rows: all } = shownRows({ ...spec, paint: 'gauge', only: { field: 'shop', value: 'C' } }, latest(rows), { painter: saw() });
  assert.deepEqual([columns, all], [['key', 'shop', 'n', 'created_at'], [{ key: 'c', shop: 'C', n: 1 }]]);
  const lines = shownRows({ paint: 'heat_map', fields: [{ field: 'v' }] }, series({ 'v:a': [[1, 2]], 'w:a': [[1, 3]] }), { painter: saw() });
  assert.deepEqual(lines.rows, [{ at: 1, name: 'v:a', value: 2 }]);
});
