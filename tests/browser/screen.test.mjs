import assert from 'node:assert/strict';
import { test } from 'node:test';

import { screenOf } from '../../assets/live/screen.mjs';

const store = { a: { position: { epoch: 'e', seq: 7, more: 1 } }, b: { position: { epoch: 'f', seq: 2 } }, c: { position: null } };
const parts = [
  { element: 'first', channels: ['a', 'c'] },
  { element: 'second', channels: ['b', 'a', 'unknown'] },
];
const told = (held, at = null) => screenOf({
  parts, at, live: (name) => store[name], heldBy: (element) => (held === element ? new Map([['a', { position: { epoch: 'e', seq: 3 } }]]) : undefined),
});

test('each channel is told at its position, and one that is not known at none', () => {
  assert.deepEqual(told(null), { a: { epoch: 'e', seq: 7 }, b: { epoch: 'f', seq: 2 } });
});

test('a held component tells what it holds, where it is the first that shows the channel', () => {
  assert.deepEqual(told('first').a, { epoch: 'e', seq: 3 });
  assert.deepEqual(told('second').a, { epoch: 'e', seq: 7 });
});

test('in a replay every channel is told by its time', () => {
  assert.deepEqual(told(null, 1_000.7), { a: { at: 1_000 }, b: { at: 1_000 }, c: { at: 1_000 }, unknown: { at: 1_000 } });
});
