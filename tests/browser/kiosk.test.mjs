/* What the address of a kiosk says, and what is said of a wrong one. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { kioskOf, nextPage } from '../../assets/live/kiosk.mjs';

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
