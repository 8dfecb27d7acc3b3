/* Times in a zone whose clocks change: written, read back, and on an axis. */

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';

import { traceOf, zoneInWords } from '../../assets/live/chart.mjs';
import { clock, moment, zonedClock } from '../../assets/live/format.mjs';
import { aheadAt, changeBetween, dateTime, fieldOf, ownZone, readField, useZone, zoneLabel } from '../../assets/live/zone.mjs';

const HOUR = 3_600_000, AUTUMN = Date.UTC(2026, 9, 25, 1), SPRING = Date.UTC(2026, 2, 29, 1); // Berlin's changes of that year
afterEach(() => useZone(ownZone()));

test('the clock of a zone is ahead by as much as it is on that day', () => {
  useZone('Europe/Berlin');
  assert.deepEqual([AUTUMN - 1, AUTUMN].map((at) => aheadAt(at)), [2 * HOUR, HOUR]);
  assert.deepEqual([zoneLabel(AUTUMN - 1), zoneLabel(AUTUMN)], ['GMT+2', 'GMT+1']);
  assert.equal(aheadAt(AUTUMN, 'Asia/Kathmandu'), 5.75 * HOUR);
  assert.equal(aheadAt(Date.UTC(1900, 0, 1), 'UTC'), 0);
});

test('texts are written in the zone in use, and anew after it changed', () => {
  useZone('UTC');
  assert.deepEqual([clock(AUTUMN), dateTime(AUTUMN)], ['01:00:00', '2026-10-25 01:00:00']);
  useZone('America/New_York');
  assert.deepEqual([clock(AUTUMN), dateTime(AUTUMN)], ['21:00:00', '2026-10-24 21:00:00']);
  assert.match(zonedClock(AUTUMN), /^21:00:00 EDT$/);
  assert.equal(moment(AUTUMN, AUTUMN + 4 * HOUR), 'Oct 24, 21:00:00', 'the day is another one there');
  assert.equal(moment(AUTUMN, AUTUMN + HOUR), '21:00:00');
});

test('what a field says is the time that was written into it, whatever clocks do', () => {
  useZone('Europe/Berlin');
  for (let at = SPRING - 30 * HOUR; at < SPRING + 30 * HOUR; at += HOUR / 2) assert.equal(readField(fieldOf(at)), at);
  assert.equal(readField('2026-10-25T02:30:00'), AUTUMN - HOUR / 2, 'of an hour that comes twice, the first');
  assert.equal(readField('2026-03-29T02:30:00'), SPRING + HOUR / 2, 'of one that is left out, so much later');
  assert.ok(Number.isNaN(readField('')));
});

test('a change of clocks is found to the quarter of an hour', () => {
  useZone('Europe/Berlin');
  assert.equal(changeBetween(AUTUMN - 20 * 24 * HOUR, AUTUMN + 10 * 24 * HOUR), AUTUMN);
  assert.equal(changeBetween(AUTUMN, AUTUMN + 30 * 24 * HOUR), null);
});

test('an axis has no hour twice, and says so where clocks change on it', () => {
  useZone('Europe/Berlin');
  const t = Array.from({ length: 9 }, (_, i) => AUTUMN + (i - 4) * HOUR / 2);
  const { x } = traceOf({ t, v: t.map(() => 1) }, { label: 'a', place: 0, palette: { series: [] }, spec: {} });
  assert.deepEqual(x.slice(1).map((at, i) => at - x[i]), Array(8).fill(HOUR / 2));
  assert.equal(zoneInWords({ from: t[0], until: t[8] }), 'GMT+1 throughout, clocks changed on Oct 25');
  assert.equal(zoneInWords({ from: AUTUMN, until: t[8] }), 'GMT+1');
});
