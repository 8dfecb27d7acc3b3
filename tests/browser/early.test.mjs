/* The early view: which parts it fills, from which channels, and when Dash's page may take its place. */

import assert from 'node:assert/strict';
import test from 'node:test';

globalThis.document = { getElementById: () => null };
const { channelsOf, isDrawn, paintable } = await import('../../assets/live/early.mjs');

const element = (spec) => ({ dataset: { early: JSON.stringify(spec) } });
const page = (hasPage, ...values) => ({
  querySelector: () => (hasPage ? {} : null),
  querySelectorAll: () => values.map((textContent) => ({ textContent })),
});

test('tiles and logs are filled early, charts and tables wait for what draws them', () => {
  const all = ['tile', 'chart', 'none', 'log'].map((paint) => element({ paint, channel: paint }));
  assert.deepEqual(paintable({ querySelectorAll: () => all }).map(({ spec }) => spec.paint), ['tile', 'log']);
});

test('each channel is asked for once, that of a trend as well', () => {
  const parts = [{ spec: { channel: 'a', trend: { channel: 'b' } } }, { spec: { channel: 'a' } }];
  assert.deepEqual(channelsOf(parts), ['a', 'b']);
});

test("Dash's page takes over when it shows values", () => {
  assert.equal(isDrawn(page(false)), false);
  assert.equal(isDrawn(page(true, '', '')), false);
  assert.equal(isDrawn(page(true, '', '7')), true);
});

test('a page without tiles takes over when it is there', () => assert.equal(isDrawn(page(true)), true));
