/* What the address of a kiosk says, and what is said of a wrong one. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { keepAwake, kioskOf, nextPage, turn } from '../../assets/live/kiosk.mjs';

const PATHS = ['/', '/host', '/sla', '/explore'];

test('a kiosk rotates through the pages, or through those that are named', () => {
  assert.deepEqual(kioskOf('?kiosk=1', PATHS), { isKiosk: true, rotate_s: null, pages: ['/', '/host', '/sla'], problems: [] });
  assert.deepEqual(kioskOf('?kiosk=1&rotate=30&pages=/sla,/', PATHS), { isKiosk: true, rotate_s: 30, pages: ['/sla', '/'], problems: [] });
  assert.deepEqual(['/', '/host', '/sla', '/elsewhere'].map((path) => nextPage(['/', '/host', '/sla'], path)), ['/host', '/sla', '/', '/']);
});

test('a wrong address names its part, what it says, and what to give', () => {
  const told = (search) => kioskOf(search, PATHS).problems.join();
  for (const wrong of ['abc', '0', '4', '1e9', '-30', '30.5', '']) {
    assert.equal(told(`?kiosk=1&rotate=${wrong}`), `rotate=${wrong}: give whole seconds from 5 to 86400, for example rotate=30`);
    assert.equal(kioskOf(`?kiosk=1&rotate=${wrong}`, PATHS).rotate_s, null);
  }
  assert.match(told('?kiosk=yes'), /^kiosk=yes: give kiosk=1/);
  assert.match(told('?rotate=30'), /add kiosk=1/);
  assert.match(told('?kiosk=1&pages=/'), /add rotate=30/);
  assert.equal(told('?kiosk=1&rotate=30&pages=/,/hots'), 'pages: there is no page /hots; there are /, /host, /sla, /explore');
  assert.equal(told('?paused=1'), '');
});

test('a screen is kept awake, may sleep while the page is hidden, and is asked for again when it is seen', async () => {
  const document = Object.assign(new EventTarget(), { hidden: false, documentElement: { dataset: {} } }), locks = [];
  const request = async (kind) => { locks.push(Object.assign(new EventTarget(), { kind })); return locks.at(-1); };
  const state = () => document.documentElement.dataset.awake, settled = () => new Promise((done) => { setImmediate(done); });
  const turn = async (hidden) => {
    document.hidden = hidden;
    if (hidden) locks.at(-1).dispatchEvent(new Event('release')); // a browser does so by itself
    document.dispatchEvent(new Event('visibilitychange'));
    await settled();
  };
  keepAwake({ document, navigator: { wakeLock: { request } } });
  await settled();
  assert.deepEqual([locks.length, locks[0].kind, state()], [1, 'screen', 'kept']);
  await turn(true);
  assert.deepEqual([locks.length, state()], [1, 'released']);
  await turn(false);
  assert.deepEqual([locks.length, state()], [2, 'kept']);
});

test('where a browser knows no such thing, or does not allow it, the page says so and goes on', async () => {
  for (const navigator of [{}, { wakeLock: { request: async () => { throw new Error('not allowed'); } } }]) {
    const document = Object.assign(new EventTarget(), { hidden: false, documentElement: { dataset: {} } });
    keepAwake({ document, navigator });
    await new Promise((done) => { setImmediate(done); });
    assert.equal(document.documentElement.dataset.awake, 'not kept');
  }
});

test('a page that is taller than the wall is shown a screen at a time before it is left', () => {
  const main = { scrollHeight: 2_500, clientHeight: 1_000, scrollTop: 0 }, shown = [];
  for (let turns = 0; turns < 4; turns += 1) {
    turn(main, () => shown.push('left'));
    main.scrollTop = Math.min(main.scrollTop, 1_500); // as a browser does
    shown.push(main.scrollTop);
  }
  assert.deepEqual(shown, [900, 1_500, 'left', 0, 900]);
  const short = { scrollHeight: 1_000, clientHeight: 1_000, scrollTop: 0 };
  turn(short, () => shown.push('left at once'));
  assert.equal(shown.at(-1), 'left at once');
});
