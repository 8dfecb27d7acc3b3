/* Lines that are honest about time without values. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { number } from '../../assets/live/format.mjs';
import { withGaps } from '../../assets/live/points.mjs';
import { trendPath } from '../../assets/live/tile.mjs';

test('no line is drawn over a stretch of time without values', () => {
  const points = { t: [0, 1000, 60_000, 61_000], v: [1, 2, 3, 4] };
  assert.deepEqual(withGaps(points, 10_000), { t: [0, 1000, 1001, 60_000, 61_000], v: [1, 2, null, 3, 4] });
  assert.equal(trendPath(withGaps(points, 10_000)).match(/M/g).length, 2);
});

test('points that come as expected, or whenever they come, are joined', () => {
  const points = { t: [0, 1000, 2000], v: [1, 2, 3] };
  assert.equal(withGaps(points, 10_000).t, points.t);
  assert.equal(withGaps({ t: [0, 900_000], v: [1, 2] }, null).t.length, 2);
});

test('a negative number has a minus as wide as a digit', () => assert.equal(number(-3.25, 1), '−3.3'));
