/* Incidents on charts: which ones a chart shows, where, and in which words. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { ASK_MS, Incidents, markNotes, markShapes, marksIn, marksOf, stretchesOf } from '../../assets/live/incidents.mjs';

const PALETTE = { bad: 'red', warn: 'orange', muted: 'grey', surface: 'white' };
const place = (at) => at;
const incident = (more) => ({
  id: 1, severity: 'critical', text: 'lane flights.0 has no worker: live tiles stand still for 42 viewers', feed: null,
  began_at: 100, until: 200, ...more,
});

test('a chart shows the incidents of its feed and those of all feeds', () => {
  const known = [incident({ id: 1 }), incident({ id: 2, feed: 'flights' }), incident({ id: 3, feed: 'host' })];
  assert.deepEqual(marksOf(known, 'flights.delays:EWR', 0, 300).map(({ id }) => id), [1, 2]);
});

test('an incident from before the chart begins with the chart, one that was over by then is left out', () => {
  const known = [incident({ id: 1, until: 140 }), incident({ id: 2 })];
  assert.deepEqual(marksOf(known, 'flights.delays', 150, 300).map(({ id, from }) => [id, from]), [[2, 150]]);
});

test('an incident that began after the last value is shown: the values ended because of it', () => {
  assert.equal(marksOf([incident({ began_at: 350, until: 400 })], 'host.cpu', 0, 300).length, 1);
});

test('a mark is a band over its time and a line at its begin, coloured by how severe it was', () => {
  const [band, line] = markShapes(marksOf([incident()], 'host.cpu', 0, 300), PALETTE, place);
  assert.deepEqual([band.type, band.x0, band.x1, band.fillcolor], ['rect', 100, 200, 'red']);
  assert.deepEqual([line.type, line.x0, line.x1], ['line', 100, 100]);
});

test('a mark says number, severity and what it was, and all of it when pointed at; text from data stays text', () => {
  const [note] = markNotes(marksOf([incident({ text: '<b>lane</b>: more' })], 'host.cpu', 0, 300), PALETTE, place, 150);
  assert.equal(note.text, '#1 critical: &#60;b&#62;lane&#60;/b&#62;');
  assert.equal(note.hovertext, '&#60;b&#62;lane&#60;/b&#62;: more');
  assert.equal(note.xanchor, 'left');
});

test('maintenance and notes say themselves what they are, and are told from incidents by their lines', () => {
  const all = marksIn({
    incidents: [incident()], maintenance: [{ kind: 'third_party', name: 'carrier', text: 'cable; counts', feed: null, began_at: 120, until: 160 }],
    notes: [{ id: 4, text: 'Release 4.2: blue', feed: 'host', began_at: 140, until: 140 }],
  });
  const marks = marksOf(all, 'host.cpu', 0, 300), words = markNotes(marks, PALETTE, place, 300).map(({ text }) => text);
  assert.deepEqual(words.slice(1), ['third party: carrier', 'note: Release 4.2: blue']);
  const lines = markShapes(marks, PALETTE, place).filter(({ type }) => type === 'line');
  assert.deepEqual(lines.map(({ line }) => line.dash), [undefined, 'dash', 'dot']);
  assert.deepEqual(marksOf(all, 'flights.board', 0, 300).map(({ mark }) => mark), [undefined, 'maintenance'], 'a note is of its feed');
  assert.equal(marksIn({ incidents: [] }).length, 0, 'of an older server');
});

test('on a narrow chart the words end before they would leave it', () => {
  const [note] = markNotes(marksOf([incident()], 'host.cpu', 0, 300), PALETTE, place, 150, { w: 240 });
  assert.equal(note.text, '#1 critical: lane f…');
});

test('of many incidents the newest three are in words, one below the other', () => {
  const known = [1, 2, 3, 4].map((id) => incident({ id, began_at: 100 + id }));
  const notes = markNotes(marksOf(known, 'host.cpu', 0, 300), PALETTE, place, 100);
  assert.deepEqual(notes.map(({ text }) => text[1]), ['2', '3', '4']);
  assert.equal(new Set(notes.map(({ yshift }) => yshift)).size, 3);
  assert.equal(markNotes(marksOf(known, 'host.cpu', 0, 300), PALETTE, place, 100, { h: 40 }).length, 2, 'as many as there is room for');
  assert.equal(notes[0].xanchor, 'right'); // near the end of the chart, where it would leave it
});

test('incidents are asked for while a chart is looked at, and charts are painted anew when there is something new', async () => {
  let asked = 0, changed = 0, wanted = false, answer = [incident()];
  const incidents = new Incidents({
    ask: async () => { asked += 1; return answer; }, isWanted: () => wanted, onChange: () => { changed += 1; },
  });
  await incidents.tick(0);
  wanted = true;
  await incidents.tick(1);
  await incidents.tick(ASK_MS);
  assert.deepEqual([asked, changed, incidents.all.length], [1, 1, 1]);
  await incidents.tick(1 + ASK_MS);
  answer = null; // nobody answered
  await incidents.tick(1 + 2 * ASK_MS);
  assert.deepEqual([asked, changed, incidents.all.length], [3, 1, 1]);
});

test('a chart that looks back further than a day asks for the incidents of that time, at once', async () => {
  const hour = 3_600_000, day = 24 * hour, asked = [];
  let span = hour;
  const incidents = new Incidents({
    ask: async (interval) => { asked.push(interval); return []; }, isWanted: () => true, onChange() {}, span: () => span, time: () => 100 * day + 5,
  });
  await incidents.tick(0);
  span = 7 * day;
  await incidents.tick(1);
  await incidents.tick(2);
  assert.deepEqual(asked, [{}, { since: 93 * day }]);
});

test('bands that overlap become one each of the worst, and no darker', () => {
  const mark = (from, until, level) => ({ from, until, level });
  assert.deepEqual(stretchesOf([mark(0, 10, 'warn'), mark(5, 8, 'bad'), mark(2, 9, 'warn'), mark(20, 30, 'muted')]), [
    mark(0, 5, 'warn'), mark(5, 8, 'bad'), mark(8, 10, 'warn'), mark(20, 30, 'muted'),
  ]);
  const shapes = markShapes(Array.from({ length: 8 }, (_, n) => mark(n, 20, 'warn')), { warn: '#a60' }, (at) => at);
  assert.equal(shapes.filter(({ type }) => type === 'rect').length, 1);
  assert.equal(shapes.filter(({ type }) => type === 'line').length, 8);
});
