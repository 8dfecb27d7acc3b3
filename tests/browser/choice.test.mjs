/* A choice: what each component shows of it, and what it says. */

import assert from 'node:assert/strict';
import test from 'node:test';

globalThis.document ??= { getElementById: () => null };
const { paintable } = await import('../../assets/live/early.mjs');
const { chosenIn, chosenSpec, isChosen, valuesOf } = await import('../../assets/live/choice.mjs');
const { Grids, transaction } = await import('../../assets/live/grid.mjs');

const trend = { channel: 'f.hourly', series: 'n' };
const tile = { paint: 'tile', channel: 'f.last', trend, choice: { field: 'origin', channel: 'f.last_by_origin', trend: 'f.hourly_by_origin' } };

test('a component whose channel is kept in parts shows the part of the chosen value, its trend too', () => {
  const spec = chosenSpec(tile, 'EWR');
  assert.equal(spec.channel, 'f.last_by_origin:EWR');
  assert.deepEqual(spec.trend, { channel: 'f.hourly_by_origin:EWR', series: 'n' });
  assert.deepEqual([spec.declared, spec.told, spec.follows], ['f.last', ['origin', 'EWR'], true]);
  assert.equal(chosenSpec({ ...tile, choice: { field: 'origin', channel: 'f.last_by_origin', trend: null } }, 'EWR').trend, undefined);
});

test('without a choice everything is as declared', () => {
  const spec = chosenSpec(tile, '');
  assert.deepEqual([spec.channel, spec.trend, spec.told], ['f.last', trend, null]);
  assert.deepEqual(chosenSpec({ channel: 'f.x' }, 'EWR').told, null);
});

test('lines, rows and entries of the value are shown where the channel has all of them', () => {
  assert.deepEqual(chosenSpec({ channel: 'f.delays', names: null, choice: { field: 'origin', groups: true } }, 'EWR').names, ['EWR']);
  assert.deepEqual(chosenSpec({ channel: 'f.board', choice: { field: 'origin', rows: true } }, 'EWR').only, { field: 'origin', value: 'EWR' });
  assert.ok(isChosen({ field: 'gate', value: '7' }, { gate: 7 }));
  assert.ok(!isChosen({ field: 'gate', value: '7' }, { gate: 8 }) && !isChosen(null, undefined) && !isChosen({ field: 'gate', value: '7' }, {}));
});

test('what cannot follow shows all, and says so', () => {
  const spec = chosenSpec({ channel: 'f.x', choice: { field: 'origin' } }, 'EWR', 'All origins');
  assert.deepEqual([spec.channel, spec.told, spec.follows], ['f.x', ['shows', 'all origins'], false]);
});

test('the early view shows what the address chooses, and nothing else', () => {
  const view = { querySelectorAll: () => [{ dataset: { early: JSON.stringify(tile) } }] };
  assert.deepEqual(paintable(view, '?origin=EWR').map(({ spec }) => [spec.channel, spec.trend.channel]), [['f.last_by_origin:EWR', 'f.hourly_by_origin:EWR']]);
  assert.deepEqual(paintable(view, '?window=1h').map(({ spec }) => spec.channel), ['f.last']);
});

test('the chosen value is in the list, whether it is known or not', () => {
  assert.deepEqual(valuesOf(['b', 'a10', 'a9'], 'c'), ['a9', 'a10', 'b', 'c']);
  assert.deepEqual(valuesOf(['b'], ''), ['b']);
  assert.equal(chosenIn('?origin=E%26W&x=1', 'origin'), 'E&W');
});

test('a row that changes to another value leaves the table, and one that changes to the chosen one comes', () => {
  const shown = new Map(), isShown = (row) => isChosen({ field: 'o', value: 'E' }, row);
  assert.deepEqual(transaction(shown, new Map([['a', { o: 'E' }], ['b', { o: 'J' }]]), true, isShown), { add: [{ o: 'E', id: 'a' }], update: [], remove: [] });
  assert.deepEqual(transaction(shown, new Map([['a', { o: 'J' }], ['b', { o: 'E' }]]), ['a', 'b'], isShown), { add: [{ o: 'E', id: 'b' }], update: [], remove: [{ id: 'a' }] });
});

test('a table that shows another channel does not keep the rows of the former one until that has come', () => {
  const held = new Set(), api = {
    getRowNode: (id) => held.has(id), isDestroyed: () => false, getGridOption: () => false,
    applyTransaction: ({ add, remove }) => { add.forEach(({ id }) => held.add(id)); remove.forEach(({ id }) => held.delete(id)); },
  };
  const states = { all: { state: { rows: new Map([['a', {}], ['b', {}]]) } } };
  let channel = 'all';
  const grids = new Grids({ store: { get: (name) => states[name] }, getApi: () => api, later: () => {}, channelOf: () => channel });
  grids.show([{ uid: 'u', channel: 'all' }]);
  assert.deepEqual([...held], ['a', 'b']);
  channel = 'part';
  grids.renew();
  assert.deepEqual([...held], []);
  states.part = { state: { rows: new Map([['b', {}]]) } };
  grids.update({ part: true });
  assert.deepEqual([...held], ['b']);
});
