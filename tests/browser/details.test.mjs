/* What the details of a component tell of this moment: how its newest event came, stage by stage. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { stagesOf } from '../../assets/live/details.mjs';
import { Store } from '../../assets/live/store.mjs';

test('the newest event of the last change is followed through its stages, each with what it took', () => {
  const arrived = {
    times: { created: [50, 100], ingested: [60, 112], processed: 120, sent: 123 }, received: 28, painted: { text: 41, chart: 90 },
  };
  const steps = stagesOf(arrived, 'text', (at) => at + 100).map(({ stage, step_ms }) => [stage, step_ms]);
  assert.deepEqual(steps, [['created', null], ['ingested', 12], ['processed', 8], ['sent', 3], ['received', 5], ['painted', 13]]);
});

test('a stage that is not known is left out: nothing painted yet, or no word of the clock', () => {
  const arrived = { times: { created: [50, 100], sent: 123 }, received: 28, painted: { text: 41 } };
  assert.deepEqual(stagesOf(arrived, 'chart', (at) => at + 100).map(({ stage }) => stage), ['created', 'sent', 'received']);
  assert.deepEqual(stagesOf(arrived, 'text', () => NaN).map(({ stage }) => stage), ['created', 'sent']);
  assert.deepEqual(stagesOf(null, 'text', (at) => at), []);
});

test('the first painting of a change counts, the next change is waited for anew', () => {
  const store = new Store(), frame = { op: 'snapshot', channel: 'a', kind: 'latest', epoch: 'e', seq: 1, data: { rows: {} }, times: {} };
  store.want(['a'], 0);
  store.apply(frame, 10);
  store.painted('a', 'text', 12);
  store.painted('a', 'text', 20);
  assert.deepEqual(store.get('a').arrived.painted, { text: 12 });
  store.apply({ op: 'delta', channel: 'a', epoch: 'e', after: 1, seq: 2, data: { set: {} }, times: {} }, 30);
  assert.deepEqual(store.get('a').arrived, { times: {}, received: 30, painted: {} });
});
