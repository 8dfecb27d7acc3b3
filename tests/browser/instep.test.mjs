/* In step: by which key a reader gets to which point and line. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { heldAt, isolated, momentInWords, nextPlace, zoomed } from '../../assets/live/instep.mjs';

test('the first arrow goes to the newest point, the next ones from there, and not over the ends', () => {
  const times = [10, 20, 30];
  assert.equal(nextPlace(times, null, -1), 2);
  assert.deepEqual([nextPlace(times, 30, -1), nextPlace(times, 10, -1), nextPlace(times, 30, 1), nextPlace(times, 10, 1)], [1, 0, 2, 1]);
});

test('another chart shows the newest point at or before the moment, and none before its first one or in a gap', () => {
  const slow = { x: [0, 60_000, 120_000], y: [1, 2, 3] }, late = { x: [90_000], y: [7] };
  assert.equal(heldAt([slow], 60_000), 60_000);
  assert.equal(heldAt([slow], 119_999), 60_000);
  assert.equal(heldAt([slow, late], 119_999), 90_000, 'of several lines the newest');
  assert.equal(heldAt([slow], 999_999), 120_000);
  assert.equal(heldAt([slow], -1), null);
  assert.equal(heldAt([{ x: [0, 10, 20], y: [1, null, 3] }], 15), null);
  assert.equal(heldAt([], 15), null);
});

test('a point that has left the chart is gone on from where it was', () => {
  assert.equal(nextPlace([20, 30, 40], 25, 1), 1);
  assert.equal(nextPlace([20, 30, 40], 25, -1), 0);
});

test('a digit isolates the line of that place in the legend, 0 and Escape show all', () => {
  assert.deepEqual(isolated('2', 3), ['legendonly', true, 'legendonly']);
  assert.deepEqual(isolated('0', 2), [true, true]);
  assert.deepEqual(isolated('Escape', 2), [true, true]);
  for (const key of ['4', 'x', 'Tab', '-1']) assert.equal(isolated(key, 3), null, key);
});

test('a moment is read out as its time and the value of each line', () => {
  assert.equal(momentInWords('14:03:00', [{ name: 'EWR', text: '12' }, { name: 'JFK', text: '3' }]), '14:03:00; EWR 12; JFK 3');
});

test('plus and minus zoom around a point, shift and an arrow move what is seen by half of it', () => {
  assert.deepEqual(zoomed({ key: '+' }, [0, 100], 80), [40, 90]);
  assert.deepEqual(zoomed({ key: '+', shiftKey: true }, [0, 100], 100), [50, 100]);
  assert.deepEqual(zoomed({ key: '-' }, [40, 90], 80), [0, 100]);
  assert.deepEqual(zoomed({ key: '=' }, [40, 90], 500), [65, 90]);
  assert.deepEqual(zoomed({ key: 'ArrowLeft', shiftKey: true }, [40, 90], 80), [15, 65]);
  for (const key of ['ArrowLeft', '1', 'Tab']) assert.equal(zoomed({ key }, [0, 1], 0), null, key);
});
