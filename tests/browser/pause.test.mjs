/* A pause over a real store: what is held stays, what goes on is counted by positions, and nothing grows. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { Grids } from '../../assets/live/grid.mjs';
import { Common, Freeze, Pause, behindInWords } from '../../assets/live/pause.mjs';
import { stateOf } from '../../assets/live/state.mjs';
import { Store } from '../../assets/live/store.mjs';

const KINDS = {
  rows: ['latest', {}, { rows: { a: { n: 0 } } }],
  points: ['series', { span_ms: 60_000, points_max: 500 }, { points: { n: [[0, 0]] } }],
  entries: ['log', { entries_max: 50 }, { entries: [] }],
};
const deltaOf = (name, n) => ({
  rows: { set: { [`k${n % 100}`]: { n } } },
  points: { points: { n: [[n * 5, n]] } },
  entries: { entries: [{ id: `e${n}`, created_at: n, text: `entry ${n}` }] },
}[name]);

/** A store that follows a server; `move(name, times)` brings so many deltas, `restart` another epoch. */
function followed(names = Object.keys(KINDS)) {
  const store = new Store(), pause = new Pause(), at = Object.fromEntries(names.map((name) => [name, { epoch: 'e1', seq: 0 }]));
  const frame = (op, name, data, extra = {}) => {
    const [kind, keep] = KINDS[name];
    const outcome = store.apply({ op, channel: name, kind, keep, data, times: { created: [1, at[name].seq] }, ...at[name], ...extra });
    return [outcome, pause.moved(store.get(name))];
  };
  store.want(names, 0);
  return {
    store, pause,
    start(name) { return frame('snapshot', name, structuredClone(KINDS[name][2])); },
    move(name, times = 1, merged = 1) {
      for (let i = 0; i < times; i += 1) {
        const after = at[name].seq;
        at[name].seq += merged;
        frame('delta', name, deltaOf(name, at[name].seq), { after });
      }
    },
    restart(name, epoch, seq) {
      at[name] = { epoch, seq };
      return frame('snapshot', name, structuredClone(KINDS[name][2]));
    },
  };
}

const data = (source, name) => structuredClone(source.get(name).state.data());

for (const [name, [kind, keep, start]] of Object.entries(KINDS)) {
  test(`a copy of a ${kind} is left alone by what comes after it, and the other way round`, () => {
    const state = stateOf(kind, keep);
    state.load(structuredClone(start));
    for (let n = 1; n < 70; n += 1) state.apply(deltaOf(name, n));
    const copy = state.copy(), then = structuredClone(copy.data());
    assert.deepEqual(then, state.data());
    for (let n = 70; n < 200; n += 1) state.apply(deltaOf(name, n));
    assert.deepEqual(copy.data(), then);
    const now = structuredClone(state.data());
    for (let n = 70; n < 200; n += 1) copy.apply(deltaOf(name, n));
    assert.deepEqual(copy.data(), now);
    assert.deepEqual(state.data(), now);
  });
}

test('a channel that a pause awaits is held with all that was committed before the pause, and nothing of later', () => {
  const store = new Store(), pause = new Pause(), freeze = new Freeze(100);
  pause.page = freeze;
  store.want(['rows'], 0);
  pause.hold('table', { channels: ['rows'], grid: null }, freeze, store);
  const come = (seq, processed, more) => {
    store.apply({ channel: 'rows', kind: 'latest', keep: {}, epoch: 'e1', seq, times: { created: [1, seq], processed }, ...more });
    return pause.moved(store.get('rows'));
  };
  assert.deepEqual(come(2, 80, { op: 'snapshot', data: { rows: { a: { n: 0 } } } }), ['table']);
  assert.deepEqual(come(3, 100, { op: 'delta', after: 2, data: { set: { a: { n: 1 } } } }), ['table']);
  assert.deepEqual(data(freeze, 'rows'), { rows: { a: { n: 1 } } });
  assert.deepEqual(pause.behind(), { updates: 0, starts: 0 });
  assert.deepEqual(come(4, 101, { op: 'delta', after: 3, data: { set: { a: { n: 2 } } } }), []);
  assert.deepEqual(data(freeze, 'rows'), { rows: { a: { n: 1 } } });
  assert.deepEqual(pause.behind(), { updates: 1, starts: 0 });
});

test('what is held shows its moment, the store goes on, and letting go shows all of it', () => {
  const { store, pause, start, move } = followed();
  for (const name of Object.keys(KINDS)) { start(name); move(name, 10); }
  const then = data(store, 'rows');
  pause.hold('table', { channels: ['rows'], grid: 'g' }, new Freeze(1_000), store);
  move('rows', 214);
  assert.deepEqual(data(pause.of('table'), 'rows'), then);
  assert.equal(pause.of('table').get('rows').position.seq, 10);
  assert.deepEqual(pause.behind('table'), { updates: 214, starts: 0 });
  assert.equal(store.get('rows').position.seq, 224);
  pause.release('table');
  assert.equal(pause.of('table'), undefined);
  assert.equal(store.get('rows').state.rows.get('k24').n, 224);
});

test('merged frames and snapshots count as the updates that they stand for', () => {
  const { store, pause, start, move, restart } = followed(['rows']);
  start('rows');
  pause.hold('tile', { channels: ['rows'] }, new Freeze(0), store);
  move('rows', 3);
  move('rows', 2, 50); // a slow viewer's frames, of 50 updates each
  restart('rows', 'e1', 200); // a resync of the same count
  assert.deepEqual(pause.behind('tile'), { updates: 200, starts: 0 });
});

test('a new start while something is held is told, and each count is counted by itself', () => {
  const { store, pause, start, move, restart } = followed(['rows']);
  start('rows');
  move('rows', 5);
  pause.hold('tile', { channels: ['rows'] }, new Freeze(0), store);
  move('rows', 7);
  restart('rows', 'e2', 3);
  move('rows', 4);
  assert.deepEqual(pause.behind('tile'), { updates: 11, starts: 1 });
  restart('rows', 'e3', 0);
  assert.deepEqual(pause.behind('tile'), { updates: 11, starts: 2 });
});

test('a channel that comes back from a gap without a position is counted on', () => {
  const { store, pause, start, move, restart } = followed(['rows']);
  start('rows');
  pause.hold('tile', { channels: ['rows'] }, new Freeze(0), store);
  move('rows', 2);
  store.get('rows').position = null;
  pause.moved(store.get('rows'));
  restart('rows', 'e1', 40);
  assert.deepEqual(pause.behind('tile'), { updates: 40, starts: 0 });
});

test('a page counts each channel once, and what was held by itself before keeps its own moment', () => {
  const { store, pause, start, move } = followed();
  for (const name of Object.keys(KINDS)) start(name);
  pause.hold('chart', { channels: ['points'] }, new Freeze(1), store);
  move('points', 10);
  pause.page = new Freeze(2);
  for (const [one, channels] of [['tile', ['rows', 'points']], ['table', ['rows']], ['chart', ['points']]]) {
    pause.hold(one, { channels }, pause.page, store);
  }
  move('points', 5);
  move('rows', 3);
  move('entries', 100); // nobody on this page holds it
  assert.deepEqual(pause.behind(), { updates: 8, starts: 0 });
  assert.deepEqual(pause.behind('chart'), { updates: 15, starts: 0 });
  assert.deepEqual(pause.behind('tile'), { updates: 8, starts: 0 });
  pause.release('tile');
  assert.deepEqual(pause.behind(), { updates: 3, starts: 0 });
});

test('what has no value yet when it is paused holds the first one that comes', () => {
  const { store, pause, start, move } = followed(['rows']);
  pause.page = new Freeze(0);
  pause.hold('tile', { channels: ['rows'] }, pause.page, store);
  assert.equal(pause.of('tile').get('rows'), undefined);
  assert.deepEqual(start('rows')[1], ['tile']);
  move('rows', 6);
  assert.deepEqual(data(pause.page, 'rows'), KINDS.rows[2]);
  assert.deepEqual(pause.behind(), { updates: 6, starts: 0 });
});

test('a held grid takes no transaction, keeps its moment when it is mounted anew, and gets all that is different', () => {
  const { store, pause, start, move } = followed(['rows']);
  let nodes = new Map(), transactions = 0;
  const api = {
    getRowNode: (key) => nodes.get(key),
    getGridOption: () => false,
    applyTransaction({ add, update, remove }) {
      transactions += 1;
      for (const row of [...add, ...update]) nodes.set(row.id, row);
      for (const { id } of remove) nodes.delete(id);
    },
  };
  const grids = new Grids({ store, getApi: () => api, later() {}, heldBy: (uid) => pause.ofGrid(uid) });
  const shown = () => Object.fromEntries([...nodes].map(([key, { id, ...row }]) => [key, row]));
  const live = () => store.get('rows').state.data().rows;
  start('rows');
  grids.show([{ uid: 'g', channel: 'rows' }]);
  move('rows', 5);
  pause.hold('table', { channels: ['rows'], grid: 'g' }, new Freeze(0), store);
  grids.renew('g');
  const then = live(), before = transactions;
  assert.deepEqual(shown(), then, 'what waited is part of what is held');
  for (let i = 0; i < 20; i += 1) { move('rows', 10); grids.update({ rows: [`k${i}`] }); }
  assert.equal(transactions, before);
  nodes = new Map();
  grids.show([{ uid: 'g', channel: 'rows' }]);
  assert.deepEqual(shown(), then);
  pause.release('table');
  grids.renew('g');
  assert.deepEqual(shown(), live());
});

test('a pause of an hour at 200 changes a second holds no more than at its begin', () => {
  setFlagsFromString('--expose_gc');
  const gc = runInNewContext('gc'), heap = () => { gc(); return process.memoryUsage().heapUsed; };
  const { store, pause, start, move } = followed(), names = Object.keys(KINDS);
  for (const name of names) { start(name); move(name, 2_000); }
  pause.page = new Freeze(0);
  names.forEach((name) => pause.hold(name, { channels: [name] }, pause.page, store));
  const then = names.map((name) => data(pause.page, name)), round = () => names.forEach((name) => move(name, 1_000));
  for (let i = 0; i < 10; i += 1) round(); // the engine has settled
  const before = heap();
  for (let i = 10; i < 240; i += 1) { round(); store.takeChanges(); }
  const grown = heap() - before;
  assert.deepEqual(pause.behind(), { updates: 720_000, starts: 0 });
  assert.deepEqual(names.map((name) => data(pause.page, name)), then);
  assert.ok(grown < 500_000, `${grown} bytes more`);
});

test('how far behind is said in words', () => {
  const words = (updates, starts) => behindInWords({ updates, starts }, String);
  assert.equal(words(0, 0), '0 updates behind');
  assert.equal(words(1, 0), '1 update behind');
  assert.equal(words(214, 0), '214 updates behind');
  assert.equal(words(12, 1), '12 updates behind and a new start');
  assert.equal(words(12, 2), '12 updates behind and 2 new starts');
});

test('a pause for everybody holds a component once, and lets go of what it held', () => {
  const common = new Common(), element = {}, mine = new Freeze(2, 'ann'), paused = { by: 'ann', since: 1 };
  assert.deepEqual(common.next(element, ['rows'], { points: { paused } }), {}, 'a heartbeat of other channels says nothing');
  assert.deepEqual(common.next(element, ['points', 'rows'], { rows: { paused } }), { hold: paused }, 'one channel is enough');
  common.held(element, paused, mine);
  assert.deepEqual(common.next(element, ['rows'], { rows: { paused } }), {}, 'whoever resumed it is left alone');
  assert.deepEqual(common.next(element, ['rows'], { rows: { paused: { by: 'bob', since: 3 } } }), { hold: { by: 'bob', since: 3 } });
  assert.deepEqual(common.next(element, ['rows'], { rows: {} }), { release: mine });
  assert.deepEqual(common.next(element, ['rows'], { rows: {} }), {}, 'once');
});

test('a pause says who it is of where that is somebody else', () => {
  const clock = (at) => `at ${at}`;
  assert.equal(new Freeze(5).inWords(clock), 'Paused at 5');
  assert.equal(new Freeze(5, 'ann').inWords(clock), 'Paused at 5 for everybody by ann');
});
