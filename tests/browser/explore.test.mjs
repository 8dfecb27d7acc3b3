/* Explore: what the form offers by what is chosen, the address of a question, and an answer as a painter reads it. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { addressOf, offered, shownTime } from '../../assets/live/explore.mjs';
import { courseOf, notesOf, pastOf, stillOf } from '../../assets/live/still.mjs';
import { openFrom } from '../../assets/live/windows.mjs';

const source = (name, more = {}) => ({ name, title: name, feed: name.split('.')[0], kind: null, counts: true, lines: [], grouping: [['shop', 'Shop']], numbers: [['price', 'Price (EUR)']], ...more });
const TOLD = {
  sources: [
    source('orders'), source('orders.board', { kind: 'latest' }), source('orders.mine', { kind: 'latest', part: 'shop' }),
    source('orders.course', { kind: 'series', counts: false, lines: [['price', 'Price']], grouping: [], numbers: [] }),
    source('words', { numbers: [] }),
  ],
  functions: [['count', 'Count'], ['rate', 'Rate'], ['mean', 'Mean'], ['quantile', 'Quantile']],
  windows: [['5min', '5 min'], ['1h', '1 h']],
};
const names = (list) => list.map(([name]) => name);
const CHOSEN = { of: 'orders', part: '', show: 'mean', field: 'price', q: '0.5', by: 'shop', window: '1h', from: '', to: '', as: 'chart', refresh: '0' };
const query = (chosen, href = 'http://h/explore') => Object.fromEntries(new URL(addressOf(href, TOLD, { ...CHOSEN, ...chosen })).searchParams);

test('a feed offers aggregates of its events, and a field where the aggregate is of one', () => {
  const found = offered(TOLD, { of: 'orders', show: 'count' });
  assert.deepEqual(names(found.shows), ['count', 'rate', 'mean', 'quantile']);
  assert.deepEqual([found.fields, names(found.by), found.hasRank], [[], ['', 'shop'], false]);
  assert.deepEqual(names(offered(TOLD, { of: 'orders', show: 'mean' }).fields), ['price']);
  assert.equal(offered(TOLD, { of: 'orders', show: 'quantile' }).hasRank, true);
  assert.deepEqual(names(offered(TOLD, { of: 'words', show: 'count' }).shows), ['count', 'rate']);
});

test('a channel is offered as declared first, and what it cannot show is not offered', () => {
  assert.deepEqual(names(offered(TOLD, { of: 'orders.board', show: '' }).shows), ['declared', 'count', 'rate', 'mean', 'quantile']);
  const rows = offered(TOLD, { of: 'orders.board', show: 'declared' });
  assert.deepEqual([rows.fields, rows.by, rows.windows, rows.forms], [[], [], [], []]);
  const series = offered(TOLD, { of: 'orders.course', show: 'mean' });
  assert.deepEqual([names(series.shows), names(series.fields)], [['declared'], ['price']]);
  assert.deepEqual(names(series.windows), ['', '5min', '1h', 'between']);
  assert.equal(offered(TOLD, { of: 'gone', show: 'count' }).source, null);
});

test('an address holds what is asked and nothing else of the form, and keeps what is not of it', () => {
  assert.deepEqual(query({}), { of: 'orders', show: 'mean', field: 'price', by: 'shop', window: '1h' });
  assert.deepEqual(query({ show: 'count' }), { of: 'orders', show: 'count', by: 'shop', window: '1h' });
  assert.deepEqual(query({ show: 'quantile', q: '0.9', as: 'table', refresh: '60' }), { of: 'orders', show: 'quantile', field: 'price', q: '0.9', by: 'shop', window: '1h', as: 'table', refresh: '60' });
  assert.deepEqual(query({ show: 'count', by: '', where: 'shop', is: 'north' }), { of: 'orders', show: 'count', where: 'shop', is: 'north', window: '1h' });
  assert.deepEqual(query({ of: 'orders.board', show: 'declared', where: 'shop', is: 'north' }), { of: 'orders.board', show: 'declared' });
  assert.deepEqual(query({ of: 'orders.course' }), { of: 'orders.course', show: 'declared', field: 'price', window: '1h' });
  assert.deepEqual(query({ of: 'orders.mine', part: 'north', show: 'count', by: '' }), { of: 'orders.mine:north', show: 'count', window: '1h' });
  assert.deepEqual(query({ show: 'count' }, 'http://h/explore?kiosk=1&of=x&q=1'), { kiosk: '1', of: 'orders', show: 'count', by: 'shop', window: '1h' });
});

test('an interval of two times is written in UTC', () => {
  const at = new Date(2026, 0, 31, 12, 0, 0), found = query({ window: 'between', from: '2026-01-31T12:00:00', to: '2026-01-31T12:00:01' });
  assert.equal(found.from, at.toISOString().replace('.000Z', 'Z'));
  assert.equal(Date.parse(found.to), at.getTime() + 1000);
  assert.equal('window' in found, false);
});

const ANSWER = {
  of: 'orders', label: 'Mean of Price', unit: 'EUR', decimals: 2, by: 'Shop', since: 1000, until: 4500, step_ms: 1000, as_of: 4500, begin: 1000,
  reached: 1000, open: true, events: 7, kept_ms: 86_400_000, gaps: [{ since: 500, until: 2500, events: 1, reason: 'shed' }],
  lines: { north: [[1000, 1], [2000, null], [4000, 3]] }, groups: [['north', 2, 7]],
};

test('an answer is read by the painter as a channel of one aggregate, its newest window open', () => {
  const { spec, store, view } = stillOf(ANSWER, 3), { series } = store.get('orders').state;
  assert.deepEqual(series.get('value:north'), { t: [1000, 2000, 4000], v: [1, null, 3] });
  assert.deepEqual(view.line('value:north'), series.get('value:north'));
  assert.equal(openFrom(series, spec), 4000);
  assert.deepEqual([view.since, view.window_ms, view.drawn], [1000, 3500, 3]);
  assert.deepEqual(view.gaps().map(({ since, until }) => [since, until]), [[1000, 2500]]);
  assert.equal(stillOf({ ...ANSWER, open: false }, 1).spec.window_ms, undefined);
  assert.deepEqual([...stillOf({ ...ANSWER, by: null, lines: { all: [[1000, 1]] } }, 1).store.get('').state.series.keys()], ['value']);
});

test('what is missing of an answer is said', () => {
  const words = { moment: (at) => `t${at}`, count: String };
  assert.deepEqual(notesOf(ANSWER, words), ['7 events']);
  assert.deepEqual(notesOf({ ...ANSWER, events: 0 }, words), ['no events in this interval']);
  assert.equal(notesOf({ ...ANSWER, silence: [1000, 3000] }, words)[1], 'no event from t1000 to t3000: quiet, or nothing ran');
  assert.match(notesOf({ ...ANSWER, reached: 2000, begin: 2000 }, words)[1], /^read back to t2000 only/);
  assert.equal(notesOf({ ...ANSWER, begin: 3000 }, words)[1], 'nothing before t3000');
  assert.equal(notesOf({ ...ANSWER, begin: 3000, as_of: 90_000_000 }, words)[1], 'nothing before t3000: events are kept for 1 day');
  assert.match(notesOf({ ...ANSWER, groups: [['a', 1, 1], ['b', 1, 1]] }, words)[1], /^1 of 2 lines/);
});

test('a course that is over has no open window, and is put together from its parts', () => {
  const spec = { gap_ms: 500, window_ms: 100, windows: 2, fields: [{ field: 'price', label: 'Price' }] }, interval = { since: 1000, until: 3000 };
  const past = pastOf(spec, interval, 100);
  past.add({ since: 2000, by: 'row', points: { price: [[2100, 2], [2900, 3]] }, gaps: [], position: null });
  past.add({ since: 1000, by: 'row', points: { price: [[1200, 1]] }, gaps: [], position: null });
  const still = courseOf(past, spec, interval, 1);
  assert.deepEqual(still.view.line('price'), { t: [1200, 1201, 2100, 2900], v: [1, null, 2, 3] });
  assert.equal('window_ms' in still.spec, false);
});

test('the interval that a form offers ends with what the page shows', () => {
  assert.equal(shownTime('http://h/explore?replay=2026-01-31T12:00:00.000Z'), Date.UTC(2026, 0, 31, 12));
  assert.ok(Math.abs(shownTime('http://h/explore') - Date.now()) < 1_000);
});
