/* Arriving: a page that was asked for while nobody answers is told of, and loaded once somebody does. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { Arriving, missing } from '../../assets/live/arriving.mjs';

function browser(asked, shown) {
  const nodes = { '#navigation [aria-current="page"]': { textContent: asked }, 'main [data-page] h1': shown && { textContent: shown } };
  const scope = { told: null, loads: 0, location: { reload: () => { scope.loads += 1; } } };
  globalThis.document = scope.document = {
    querySelector: (selector) => nodes[selector] ?? null,
    createElement: () => ({ textContent: '', childNodes: [], setAttribute() {} }),
    body: { appendChild: (node) => { scope.told = node; return node; } },
  };
  return { scope, nodes };
}

test('a page is missing where its link is marked and another one is drawn', () => {
  assert.deepEqual(missing(browser('SLA', 'Host').scope.document), { asked: 'SLA', shown: 'Host' });
  assert.equal(missing(browser('SLA', 'SLA').scope.document), null);
  assert.equal(missing(browser('SLA', null).scope.document), null, 'nothing is drawn yet');
});

test('what is asked for without a server is said after a moment, and loaded once the server is back for a moment', () => {
  const { scope } = browser('SLA', 'Host'), arriving = new Arriving(scope);
  arriving.look(0, true);
  assert.equal(scope.told, null);
  arriving.look(1_500, true);
  assert.equal(scope.told.textContent, 'SLA opens as soon as the server answers. This is still Host.');
  arriving.look(2_000, false);
  arriving.look(2_500, true);
  arriving.look(3_000, false);
  arriving.look(3_900, false);
  assert.equal(scope.loads, 0);
  arriving.look(4_000, false);
  assert.equal(scope.loads, 1);
});

test('a page that is slow while the server can be reached is waited for in silence, however long', () => {
  const { scope } = browser('SLA', 'Host'), arriving = new Arriving(scope);
  for (let now = 0; now < 60_000; now += 250) arriving.look(now, false);
  assert.deepEqual([scope.told, scope.loads], [null, 0]);
});

test('who goes back to the page that is drawn is told of nothing any more', () => {
  const { scope, nodes } = browser('SLA', 'Host'), arriving = new Arriving(scope);
  for (const now of [0, 2_000]) arriving.look(now, true);
  nodes['#navigation [aria-current="page"]'].textContent = 'Host';
  arriving.look(2_250, true);
  assert.equal(scope.told.textContent, '');
  for (const now of [2_500, 9_000]) arriving.look(now, false);
  assert.equal(scope.loads, 0);
});
