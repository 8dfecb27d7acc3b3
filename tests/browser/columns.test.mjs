/* Columns of a table by what stands in them, and lines beyond the bounds of a chart. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { stateOfWidths } from '../../assets/live/columns.mjs';
import { outside } from '../../assets/live/lines.mjs';

test('columns that have room share it by their widths; those that have none keep them, and the table scrolls', () => {
  const needs = [['airline', 150], ['status', 80]];
  assert.deepEqual(stateOfWidths(needs, 230), [{ colId: 'airline', flex: 150 }, { colId: 'status', flex: 80 }]);
  assert.deepEqual(stateOfWidths(needs, 229), [{ colId: 'airline', flex: null, width: 150 }, { colId: 'status', flex: null, width: 80 }]);
});

test('a line beyond the declared bounds is named with its newest value, on its side', () => {
  const line = (name, y, visible = true) => ({ name, y, visible });
  const traces = [line('EWR', [1, -250, null]), line('JFK', [500]), line('LGA', [50]), line('off', [900], 'legendonly'), line('none', [null])];
  assert.deepEqual(outside(traces, { bounds: [-100, 100], unit: '%', decimals: 0 }), { above: ['JFK 500\u00a0%'], below: ['EWR \u2212250\u00a0%'] });
  assert.deepEqual(outside(traces, { unit: '%' }), { above: [], below: [] });
  const many = Array.from({ length: 6 }, (_, i) => line(`n${i}`, [7]));
  assert.deepEqual(outside(many, { bounds: [0, 1], decimals: 0 }).above, ['n0 7', 'n1 7', 'n2 7', '3 more']);
  assert.deepEqual(outside(many, { bounds: [0, 1], decimals: 0 }, 12).above, ['n0 7', '5 more'], 'as many as there is room for');
  assert.deepEqual(outside(many, { bounds: [0, 1], decimals: 0 }, 3).above, ['6 lines']);
});
