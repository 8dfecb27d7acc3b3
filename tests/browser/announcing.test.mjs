/* What a screen reader is told of the banner, and how seldom. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Announcing } from '../../assets/live/announcing.mjs';

function announced() {
  const said = [], due = [];
  let at = 0;
  const announcing = new Announcing({ say: (words) => said.push(words), now: () => at, later: (act, ms) => due.push([at + ms, act]) });
  const pass = (ms) => {
    at += ms;
    for (const [, act] of due.filter(([when]) => when <= at)) act();
    due.splice(0, due.length, ...due.filter(([when]) => when > at));
  };
  return { said, announcing, pass };
}

const STALE = { state: 'stale', said: 'Stale since 14:03:10, flights: the source gives no sign of life.' };
const LIVE = { state: 'live', said: '' };

test('a page that is well from the start says nothing', () => {
  const { said, announcing, pass } = announced();
  announcing.tell({ state: 'connecting', said: '' });
  announcing.tell(LIVE);
  pass(60_000);
  assert.deepEqual(said, []);
});

test('a trouble is said once, however often the banner is drawn, and so is its end', () => {
  const { said, announcing, pass } = announced();
  for (let n = 0; n < 40; n += 1) { announcing.tell(STALE); pass(500); }
  assert.deepEqual(said, [STALE.said]);
  announcing.tell(LIVE);
  pass(10_000);
  announcing.tell(LIVE);
  pass(10_000);
  assert.deepEqual(said, [STALE.said, 'Live again.']);
});

test('a state that goes to and fro is said when it rests', () => {
  const { said, announcing, pass } = announced();
  for (let n = 0; n < 19; n += 1) { announcing.tell(n % 2 ? LIVE : STALE); pass(500); }
  assert.deepEqual(said, [STALE.said]);
  pass(10_000);
  assert.deepEqual(said, [STALE.said], 'it rests as it was said');
});

test('another cause is news', () => {
  const { said, announcing, pass } = announced();
  announcing.tell(STALE);
  pass(1_000);
  announcing.tell({ state: 'offline', said: 'Offline: your connection is down.' });
  pass(8_000);
  assert.equal(said.length, 1);
  pass(1_000);
  assert.deepEqual(said, [STALE.said, 'Offline: your connection is down.']);
});
