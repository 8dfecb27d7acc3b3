/* Row changes: what each field was and when it changed, whatever the archive and the live tail tell twice. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { readRowChanges } from '../../assets/live/reading.mjs';
import { changesOf, inWords, stepsOf } from '../../assets/live/row_changes.mjs';

const told = (rows) => changesOf(rows).map(({ at, kind, fields }) => [at, kind, ...fields.map(({ field, before, after }) => [field, before, after])]);

test('a change names what was different before; times that move with every event are none', () => {
  assert.deepEqual(told([
    { at: 3, key: 'a', price: 12, shop: 'north', created_at: 3 },
    { at: 1, key: 'a', price: 10, shop: 'north', created_at: 1 },
    { at: 2, key: 'a', price: 10, shop: 'north', created_at: 2 },
  ]), [
    [1, 'first', ['price', undefined, 10], ['shop', undefined, 'north']],
    [3, 'set', ['price', 10, 12]],
  ]);
});

test('a field that a whole row does not name is gone; one that a change does not name stays', () => {
  assert.deepEqual(told([
    { at: 1, key: 'a', price: 10, note: 'x', whole: true },
    { at: 2, key: 'a', price: 11 },
    { at: 3, key: 'a', price: 11, whole: true },
  ]), [
    [1, 'first', ['price', undefined, 10], ['note', undefined, 'x']],
    [2, 'set', ['price', 10, 11]],
    [3, 'set', ['note', 'x', null]],
  ]);
});

test('a row that went and came back is told as that, and not twice', () => {
  assert.deepEqual(told([
    { at: 0, key: 'a', deleted: true },
    { at: 1, key: 'a', price: 10 },
    { at: 2, key: 'a', deleted: true },
    { at: 2, deleted: true },
    { at: 3, key: 'a', price: 10 },
  ]), [
    [1, 'came', ['price', undefined, 10]],
    [2, 'gone'],
    [3, 'came', ['price', undefined, 10]],
  ]);
});

test('what archive and live tail both tell is one change', () => {
  const archived = [{ at: 1, key: 'a', price: 10 }, { at: 2, key: 'a', price: 12 }];
  const live = [{ at: 2, key: 'a', id: 'a', price: 12, created_at: 2, whole: true }, { at: 3, price: 13, whole: true }];
  assert.deepEqual(told([...live, ...archived]).map(([at]) => at), [1, 2, 3]);
});

test('a field is drawn in steps, with a gap while there was no value', () => {
  assert.deepEqual(stepsOf([
    { at: 1, price: 10 }, { at: 2, note: 'x' }, { at: 3, price: 12 }, { at: 5, deleted: true }, { at: 7, price: 12 },
  ], 'price', 9), { t: [1, 3, 3, 5, 5, 7, 9], v: [10, 10, 12, 12, null, 12, 12] });
  assert.deepEqual(stepsOf([{ at: 1, note: 'x' }], 'price', 9), { t: [], v: [] });
});

test('a change reads as what was and what is, with its unit once', () => {
  const words = (one) => (one === null ? '—' : String(one));
  assert.equal(inWords({ before: 10, after: 12 }, words, 'EUR'), '10 → 12\u00a0EUR');
  assert.equal(inWords({ before: undefined, after: 12 }, words), '12');
  assert.equal(inWords({ before: 12, after: null }, words, 'EUR'), '12 → —');
});

test('the archive is asked back part by part until there is enough, and again where it is busy', async () => {
  const asked = [], parts = [{ status: 503 }, { since: 600, rows: [1] }, { since: 300, rows: [2] }, { since: 0, rows: [3] }];
  const ask = async (path) => {
    asked.push(new URLSearchParams(path.split('?')[1]).get('until'));
    const { status = 200, ...body } = parts.shift();
    return { ok: status === 200, status, headers: new Map([['Retry-After', '1']]), json: async () => body };
  };
  const seen = [], stop = new AbortController();
  await readRowChanges({
    ask, later: async () => {}, channel: 'shop.orders', key: 'ä/1', since: 0, until: 900, signal: stop.signal,
    onPart: (part, share) => { seen.push([part.rows[0], share.toFixed(2)]); return part.since === 300; },
  });
  assert.deepEqual(asked, ['900', '900', '600']);
  assert.deepEqual(seen, [[1, '0.33'], [2, '0.67']]);
});
