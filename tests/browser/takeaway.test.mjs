/* Take away: a file in pieces is put together again, and what a component shows is what is in it. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { pictureLayout, wrapped } from '../../assets/live/picture.mjs';
import { Pieces, shareOf } from '../../assets/live/pieces.mjs';
import { replayUrl } from '../../assets/live/replay_dialog.mjs';
import { shownRows } from '../../assets/live/shown.mjs';
import { nameOf, stampLines, standingInWords } from '../../assets/live/takeaway.mjs';
import { fieldOf, readField } from '../../assets/live/zone.mjs';

const bytes = (text) => new TextEncoder().encode(text);
const line = (told) => `${JSON.stringify({ rows: 0, until: 0, done: false, ...told })}\n`;

test('a file is whole whichever way its pieces are cut', () => {
  const answer = bytes(`${line({ bytes: 3, rows: 1 })}a\nb${line({ bytes: 0 })}${line({ bytes: 2, rows: 2, done: true })}cd`);
  for (const size of [1, 2, 7, 1_000]) {
    const pieces = new Pieces();
    for (let at = 0; at < answer.length; at += size) {
      assert.equal(pieces.isWhole, false);
      pieces.push(answer.slice(at, at + size));
    }
    assert.equal(pieces.isWhole, true);
    assert.equal(pieces.told.rows, 2);
    assert.equal(Buffer.concat(pieces.parts).toString(), 'a\nbcd');
  }
});

test('a file that ends early is not whole', () => {
  const pieces = new Pieces();
  pieces.push(bytes(`${line({ bytes: 4, done: true })}abc`));
  assert.equal(pieces.isWhole, false);
});

test('how far an export is lies between nothing and everything', () => {
  const interval = { since: 100, until: 200 };
  assert.deepEqual([0, 100, 150, 200, 999].map((until) => shareOf({ until }, interval)), [0, 0, 0.5, 1, 1]);
});

test('a tile gives its one value with its window', () => {
  const state = { rows: new Map([['all', { n: 5, m: 6, window_start: 1, window_end: 2, created_at: 3 }]]) };
  const { columns, rows } = shownRows({ paint: 'tile', key: 'all', field: 'n' }, state);
  assert.deepEqual(columns, ['key', 'n', 'window_start', 'window_end', 'created_at']);
  assert.deepEqual([rows.length, rows[0].key, rows[0].n], [1, 'all', 5]);
  assert.deepEqual(shownRows({ paint: 'tile', key: 'gone', field: 'n' }, state).rows, []);
});

test('a log gives the entries that it shows, newest first', () => {
  const entries = [1, 2, 3].map((n) => ({ id: `e${n}`, created_at: n, x: n })), spec = { paint: 'log', columns: [{ field: 'created_at' }, { field: 'x' }], entries_max: 2 };
  const { columns, rows } = shownRows(spec, { entries }, { matches: ({ x }) => x !== 2 });
  assert.deepEqual(columns, ['id', 'created_at', 'x']);
  assert.deepEqual(rows.map(({ id }) => id), ['e3', 'e1']);
});

test('a chart gives no line that is switched off and no point that is zoomed away', () => {
  const at = Date.UTC(2026, 0, 1, 12), offset = new Date(at).getTimezoneOffset() * 60_000;
  const column = { t: [at, at + 1_000, at + 2_000], v: [1, null, 3] };
  const state = { series: new Map([['mean:A', column], ['mean:B', column], ['other:A', column]]) };
  const spec = { paint: 'chart', fields: [{ field: 'mean', label: 'Mean' }], by: true, names: null, span_ms: 600_000 };
  assert.equal(shownRows(spec, state).rows.length, 6);
  const shifted = (ms) => new Date(ms - offset).toISOString().slice(0, -1).replace('T', ' ');
  const graph = {
    _fullLayout: { xaxis: { autorange: false, range: [shifted(at + 500), shifted(at + 3_000)] } },
    _fullData: [{ name: 'B', visible: 'legendonly' }],
  };
  assert.deepEqual(shownRows(spec, state, { graph }).rows, [
    { at: at + 1_000, name: 'mean:A', value: null }, { at: at + 2_000, name: 'mean:A', value: 3 },
  ]);
});

test('a table gives the rows that are left, in their order, with the columns that are shown', () => {
  const api = {
    forEachNodeAfterFilterAndSort: (act) => [{ data: { id: 'b', x: 2 } }, { data: { id: 'a', x: 1 } }].forEach(act),
    getAllDisplayedColumns: () => [{ getColId: () => 'x' }],
  };
  const { columns, rows } = shownRows({ paint: 'none' }, {}, { api });
  assert.deepEqual(columns, ['key', 'x']);
  assert.deepEqual(rows, [{ key: 'b', x: 2 }, { key: 'a', x: 1 }]);
});

test('what is not known yet is a file without rows', () => assert.deepEqual(shownRows({ paint: 'log' }, null).rows, []));

test('a picture says channel, position, age, time and source, and reads no markup from data', () => {
  const then = { shown: 'live', at: 3_500, taken: 3_500 }, known = { name: 'a.b', position: { epoch: 'k3', seq: 7 }, createdAt: 1_000 };
  const stamp = stampLines(known, 'recorded <b>', then);
  assert.match(stampLines(known, '', { ...then, shown: 'paused', taken: 9_000 })[0], /2\.5 s old · paused at 1970-01-01T00:00:03\.500Z · taken 1970-01-01T00:00:09\.000Z$/);
  assert.match(stampLines(known, '', { ...then, shown: 'replay', taken: 9_000 })[0], /2\.5 s old · replay of 1970-01-01T00:00:03\.500Z, not live · taken 1970-01-01T00:00:09\.000Z$/);
  assert.equal(stamp[0], 'a.b · position k3:7 · newest event 2.5 s old · taken 1970-01-01T00:00:03.500Z');
  assert.match(stampLines({ name: 'a', position: null, createdAt: null }, '', then)[0], /no position · no event yet/);
  const palette = { surface: 'white', text: 'black', muted: 'grey', line: 'silver' };
  const layout = pictureLayout({ annotations: [{ text: 'incident' }] }, { title: '<i>', stamp, width: 900, height: 1, palette, font: 'Arial' });
  assert.equal(layout.annotations.length, 2);
  assert.ok(layout.annotations[1].text.includes('recorded &#60;b&#62;'));
  assert.equal(layout.title.text, '&#60;i&#62;');
  assert.equal(layout.paper_bgcolor, 'white');
});

test('a long stamp is cut between words', () => {
  assert.deepEqual(wrapped(['aa bb cc', 'dddddd e'], 5), ['aa bb', 'cc', 'dddddd', 'e']);
});

test('a file is called as the server says', () => {
  assert.equal(nameOf('attachment; filename="a-b.csv"', 'x'), 'a-b.csv');
  assert.equal(nameOf(null, 'x'), 'x');
});

test('a field for date and time holds the viewer\'s own clock', () => {
  const at = Date.UTC(2026, 5, 1, 12, 30, 5);
  assert.equal(readField(fieldOf(at)), at);
});

test('what is taken away says how it stands', () => {
  assert.equal(standingInWords({ shown: 'live', at: 0 }), '');
  assert.match(standingInWords({ shown: 'paused', at: 0 }), /^, paused \d\d:\d\d:\d\d$/);
  assert.match(standingInWords({ shown: 'replay', at: 0 }), /^, a replay of [^,]+, \d\d:\d\d:\d\d$/);
});

test('a replay is of the page and not of its pause', () => {
  assert.equal(new URL(replayUrl('http://h/?paused=1&window=24h', 0)).search, '?window=24h&replay=1970-01-01T00%3A00%3A00.000Z');
});
