/* Tables: what one shows is in the address, and an address makes it show the same again. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { Tables, applyState, filterOnce, namesOf, stateOf } from '../../assets/live/tables.mjs';

/** A grid as far as tables ask it. */
function makeGrid(columns) {
  const grid = { columns: columns.map((colId) => ({ colId, hide: false, sort: null, sortIndex: null })), where: {}, quick: undefined, listeners: {} };
  return Object.assign(grid, {
    getColumnState: () => grid.columns.map((one) => ({ ...one })),
    applyColumnState: ({ state }) => { grid.columns = state; },
    getFilterModel: () => grid.where,
    setFilterModel: (model) => { grid.where = model ?? {}; },
    getGridOption: () => grid.quick,
    setGridOption: (option, text) => { if (option === 'quickFilterText') grid.quick = text; },
    addEventListener: (event, act) => { grid.listeners[event] = act; },
    sort: (colId, direction) => {
      for (const one of grid.columns) Object.assign(one, { sort: one.colId === colId ? direction : null, sortIndex: one.colId === colId ? 0 : null });
      grid.listeners.sortChanged?.();
    },
  });
}

/** A window with an address and a history of its own. */
function makeScope(search = '') {
  const scope = { entries: [new URL(`http://x/flights${search}`)], at: 0, handlers: [] };
  const go = (address, step) => {
    scope.entries = [...scope.entries.slice(0, scope.at + step), new URL(address)];
    scope.at = scope.entries.length - 1;
  };
  Object.defineProperty(scope, 'location', { get: () => scope.entries[scope.at] });
  scope.history = { state: null, pushState: (_, __, address) => go(address, 1), replaceState: (_, __, address) => go(address, 0) };
  scope.addEventListener = (_, act) => scope.handlers.push(act);
  scope.back = () => {
    scope.at -= 1;
    let stopped = false;
    for (const act of scope.handlers) act({ stopImmediatePropagation: () => { stopped = true; } });
    return stopped;
  };
  return scope;
}

const ID = { uid: 'home-1', channel: 'flights.board' };

function open(search = '', clock = { now: 0 }) {
  const scope = makeScope(search), grid = makeGrid(['a', 'b', 'c']), quick = [];
  grid.sort('a', 'asc');
  const tables = new Tables({ fit() {}, scope, now: () => clock.now, setQuick: (_, text) => quick.push(text) });
  tables.show([ID]);
  tables.ready(ID, grid);
  return { scope, grid, tables, quick, clock };
}

const query = (scope) => Object.fromEntries(scope.location.searchParams);

test('a table as it is declared writes nothing into the address', () => {
  const { scope, grid } = open('?window=1h');
  grid.sort('a', 'asc');
  assert.deepEqual(query(scope), { window: '1h' });
  assert.equal(scope.entries.length, 1);
});

test('an address restores filter, column filters, sort, columns and their order', () => {
  const where = { a: { filterType: 'text', type: 'equals', filter: 'EWR' } };
  const search = new URLSearchParams({
    'flights.board.q': 'UA', 'flights.board.where': JSON.stringify(where), 'flights.board.sort': '-c,b', 'flights.board.columns': 'c,a',
  });
  const { grid, quick, scope } = open(`?${search}`);
  assert.equal(grid.quick, 'UA');
  assert.deepEqual(quick, ['UA']);
  assert.deepEqual(grid.where, where);
  assert.deepEqual(grid.columns.map(({ colId, hide }) => [colId, hide]), [['c', false], ['a', false], ['b', true]]);
  const sorts = grid.columns.filter(({ sort }) => sort).sort((x, y) => x.sortIndex - y.sortIndex);
  assert.deepEqual(sorts.map(({ colId, sort }) => [colId, sort]), [['c', 'desc'], ['b', 'asc']]);
  grid.listeners.filterChanged();
  assert.equal(scope.entries.length, 1, 'what came from the address is not written again');
});

test('each change is a step, back and forward restore it, and Dash is not asked to draw the page anew', () => {
  const { scope, grid } = open();
  grid.sort('b', 'desc');
  assert.deepEqual(query(scope), { 'flights.board.sort': '-b' });
  grid.columns[2].hide = true;
  grid.listeners.columnVisible();
  assert.equal(query(scope)['flights.board.columns'], 'a,b');
  assert.equal(scope.back(), true);
  assert.deepEqual(grid.columns.filter(({ hide }) => hide), []);
  assert.equal(scope.back(), true);
  assert.equal(stateOf(grid).sort, 'a');
});

test('an address in which more than tables changed is left to Dash', () => {
  const { scope, grid, tables } = open();
  scope.history.pushState(null, '', 'http://x/flights?window=30d');
  tables.show([ID]);
  grid.sort('b', 'desc');
  assert.equal(scope.back(), true);
  assert.equal(scope.back(), false);
});

test('what is typed in one go is one step', () => {
  const { scope, grid, tables, clock } = open();
  for (const text of ['U', 'UA', 'UA1']) {
    clock.now += 300;
    tables.typed(ID, text);
  }
  assert.equal(grid.quick, 'UA1');
  assert.deepEqual([scope.entries.length, query(scope)['flights.board.q']], [2, 'UA1']);
  clock.now += 10_000;
  tables.typed(ID, '');
  assert.deepEqual([scope.entries.length, query(scope)], [3, {}]);
});

test('an address that names what is gone, or is no filter at all, shows the table as declared', () => {
  const declared = { q: '', where: '', sort: 'a', columns: 'a,b' }, grid = makeGrid(['a', 'b']);
  applyState(grid, { where: '{"gone": 1}', columns: 'gone', sort: 'gone', q: null }, declared);
  assert.deepEqual(stateOf(grid), { q: null, where: null, sort: null, columns: 'a,b' });
  applyState(grid, { where: 'nonsense' }, declared);
  assert.deepEqual(grid.where, {});
});

test('two tables of one channel keep apart, and a partition has the name of its channel', () => {
  const ids = [{ uid: '1', channel: 'a.b:EWR' }, { uid: '2', channel: 'a.c' }, { uid: '3', channel: 'a.b' }];
  assert.deepEqual([...namesOf(ids).values()], ['a.b', 'a.c', 'a.b~2']);
});

test('a filter that a grid has already is not set again', () => {
  const grid = makeGrid(['a']), set = [], asked = grid.setFilterModel;
  grid.setFilterModel = (model) => { set.push(model); asked(model); };
  filterOnce(grid);
  const model = { a: { type: 'contains', filter: 'x' } };
  for (const one of [null, model, { ...model }, model, null, {}]) grid.setFilterModel(one);
  assert.deepEqual(set, [model, null]);
});
