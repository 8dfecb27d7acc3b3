/* The store and the states behind it, against the cases that Python reads too. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';

import { compareText, stateOf } from '../../assets/live/state.mjs';
import { Store } from '../../assets/live/store.mjs';

const cases = (name) => JSON.parse(readFileSync(new URL(`../cases/${name}.json`, import.meta.url)));

function started({ kind, keep, start }) {
  const state = stateOf(kind, keep);
  state.load(structuredClone(start));
  return state;
}

for (const one of cases('state')) {
  test(one.name, () => {
    const state = started(one);
    for (const { delta } of one.steps) state.apply(structuredClone(delta));
    assert.deepEqual(state.data(), one.end);
  });
}

for (const one of cases('merge')) {
  test(`a merged delta does what both do: ${one.name}`, () => {
    const both = started(one), merged = started(one);
    both.apply(structuredClone(one.earlier));
    both.apply(structuredClone(one.later));
    merged.apply(structuredClone(one.merged));
    assert.deepEqual(merged.data(), both.data());
  });
}

const frameOf = (op, { rows, n, ...position }) => ({
  op, channel: 'c', kind: 'latest', keep: {}, times: { created: [1, 2] }, ...position,
  data: op === 'snapshot' ? { rows } : { set: { k: { n } } },
});

function play(step, store, clock) {
  if (step.subscribe) {
    store.want(step.subscribe, clock.now);
    if (step.positions) assert.deepEqual(store.positions(), step.positions);
  }
  if (step.connect) {
    assert.deepEqual(store.positions(), step.connect);
    store.connected(clock.now);
  }
  if (step.wait_ms) clock.now += step.wait_ms;
  if (step.snapshot) assert.equal(store.apply(frameOf('snapshot', step.snapshot)), step.outcome);
  if (step.delta) assert.equal(store.apply(frameOf('delta', step.delta)), step.outcome);
  if (step.heartbeat) assert.equal(store.check({ c: step.heartbeat }, clock.now, 12_500).length === 1, step.missed);
}

for (const one of cases('frames')) {
  test(one.name, () => {
    const store = new Store(), clock = { now: 0 };
    for (const step of one.steps) play(step, store, clock);
    const { position, state } = store.get('c');
    const end = state && { epoch: position?.epoch ?? null, seq: position?.seq ?? null, n: state.rows.get('k').n };
    assert.deepEqual(end, one.end);
  });
}

const LATEST = { op: 'snapshot', channel: 'c', kind: 'latest', epoch: 'e', seq: 0, keep: {}, data: { rows: {} }, times: {} };

function subscribed() {
  const store = new Store();
  store.want(['c'], 0);
  store.connected(0);
  store.apply(LATEST);
  store.takeChanges();
  return store;
}

test('changes of many frames come as one set of keys, and only once', () => {
  const store = subscribed();
  for (let seq = 1; seq <= 50; seq += 1) {
    store.apply({ op: 'delta', channel: 'c', epoch: 'e', after: seq - 1, seq, data: { set: { [`k${seq % 3}`]: { seq } } }, times: {} });
  }
  assert.deepEqual(store.takeChanges(), { c: ['k1', 'k2', 'k0'] });
  assert.equal(store.takeChanges(), null);
});

test('a snapshot changes everything', () => {
  const store = subscribed();
  store.apply({ ...LATEST, epoch: 'f' });
  assert.deepEqual(store.takeChanges(), { c: true });
});

test('changed keys that nobody takes stay bounded', () => {
  const store = subscribed();
  for (let seq = 1; seq <= 6_000; seq += 1) {
    store.apply({ op: 'delta', channel: 'c', epoch: 'e', after: seq - 1, seq, data: { set: { [seq]: { seq } } }, times: {} });
  }
  assert.deepEqual(store.takeChanges(), { c: true });
});

test('channels of pages left behind are forgotten after a while', () => {
  const store = subscribed();
  store.want(['other'], 1_000);
  assert.notEqual(store.get('c'), undefined);
  store.want(['third'], 200_000);
  assert.equal(store.get('c'), undefined);
});

test('a changed row is a new object and an unchanged one is not', () => {
  const state = started({ kind: 'latest', keep: {}, start: { rows: { a: { n: 1 }, b: { n: 1 } } } });
  const [a, b] = [state.rows.get('a'), state.rows.get('b')];
  state.apply({ set: { a: { n: 2 } } });
  assert.notEqual(state.rows.get('a'), a);
  assert.equal(state.rows.get('b'), b);
});

test('texts are ordered by code points', () => {
  assert.deepEqual(['😀', 'A', 'ab', 'a'].sort(compareText), ['A', 'a', 'ab', '😀'].sort(compareText));
  assert.ok(compareText('\uff21', '😀') < 0);
});
