/* The paint loop on a clock of the test's own, and the pure parts of the painters. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { inOrder, localTime, openWindow, shownSeries, thresholdShapes, traceOf } from '../../assets/live/chart.mjs';
import { headroom, pathOf, room } from '../../assets/live/lines.mjs';
import { duration, escapeHtml, number, value, withUnit } from '../../assets/live/format.mjs';
import { Grids, transaction } from '../../assets/live/grid.mjs';
import { shownEntries } from '../../assets/live/log.mjs';
import { Job, PaintLoop } from '../../assets/live/paint.mjs';
import { Sketch } from '../../assets/live/sketch.mjs';
import { Telemetry } from '../../assets/live/telemetry.mjs';
import { thinned, within } from '../../assets/live/points.mjs';
import { changeOf, levelOf, trendPath } from '../../assets/live/tile.mjs';

/** A screen with frames each 16 ms; a paint costs what its job says. */
function makeScreen() {
  const screen = { now: 0, hidden: false, frame: null, timers: new Map(), ids: 0, frames: 0 };
  const scope = {
    requestAnimationFrame(act) { screen.frame = act; return 1; },
    setTimeout(act, ms) { screen.timers.set(screen.ids += 1, { act, at: screen.now + ms }); return screen.ids; },
    clearTimeout(id) { screen.timers.delete(id); },
  };
  screen.loop = new PaintLoop({ scope, now: () => screen.now, isHidden: () => screen.hidden });
  screen.advance = (ms) => {
    for (const until = screen.now + ms; screen.now < until;) {
      screen.now += 16;
      for (const [id, { act, at }] of screen.timers) if (at <= screen.now) { screen.timers.delete(id); act(); }
      const { frame } = screen;
      screen.frame = null;
      if (frame !== null) { screen.frames += 1; frame(); }
    }
  };
  screen.job = (cost_ms, options = {}) => {
    const painted = [], paint = () => { screen.now += cost_ms; painted.push(screen.now); return options.ready?.() ?? true; };
    const job = new Job({ group: 'text', paint, ...options });
    screen.loop.add(job);
    return Object.assign(job, { painted });
  };
  return screen;
}

test('the loop sleeps when nothing is dirty', () => {
  const screen = makeScreen(), job = screen.job(0.1);
  screen.advance(1_000);
  assert.equal(job.painted.length, 1);
  assert.equal(screen.frames, 1);
  assert.equal(screen.timers.size, 0);
});

test('many changes between two animation frames are one paint', () => {
  const screen = makeScreen(), job = screen.job(0.1);
  screen.advance(16);
  for (let i = 0; i < 100; i += 1) screen.loop.mark(job);
  screen.advance(160);
  assert.equal(job.painted.length, 2);
});

test('nothing is painted in a hidden tab, and everything on return', () => {
  const screen = makeScreen(), job = screen.job(0.1);
  screen.advance(16);
  screen.hidden = true;
  screen.loop.mark(job);
  screen.advance(1_000);
  assert.equal(job.painted.length, 1);
  assert.equal(screen.frame, null);
  screen.hidden = false;
  screen.loop.kick();
  screen.advance(16);
  assert.equal(job.painted.length, 2);
});

test('a job out of view neither paints nor keeps the loop awake, and catches up in view', () => {
  const screen = makeScreen(), job = screen.job(0.1, { seen: false });
  screen.advance(500);
  assert.equal(job.painted.length, 0);
  assert.equal(screen.frames, 0);
  screen.loop.see(job, true);
  screen.advance(32);
  assert.equal(job.painted.length, 1);
});

test('charts use at most a quarter of the thread, however many there are', () => {
  const screen = makeScreen();
  const charts = [20, 30, 10].map((cost) => screen.job(cost, { group: 'chart', every_ms: 250 }));
  const feed = () => charts.forEach((chart) => screen.loop.mark(chart));
  for (let i = 0; i < 600; i += 1) { feed(); screen.advance(16); }
  const busy = 20 * charts[0].painted.length + 30 * charts[1].painted.length + 10 * charts[2].painted.length;
  assert.ok(busy / screen.now < 0.26, `busy ${busy / screen.now}`);
  assert.ok(busy / screen.now > 0.19, `busy ${busy / screen.now}`);
  for (const chart of charts) assert.ok(chart.painted.length > 10);
});

test('a chart is painted at most every 250 ms', () => {
  const screen = makeScreen(), chart = screen.job(1, { group: 'chart', every_ms: 250 });
  for (let i = 0; i < 125; i += 1) { screen.loop.mark(chart); screen.advance(16); }
  assert.ok(chart.painted.length >= 7 && chart.painted.length <= 9, `${chart.painted.length}`);
});

test('what a paint sets off elsewhere counts as its cost', () => {
  const screen = makeScreen(), props = screen.job(0.1, { group: 'props' });
  for (let i = 0; i < 100; i += 1) {
    const { length } = props.painted;
    screen.loop.mark(props);
    screen.advance(16);
    if (props.painted.length > length) screen.loop.charge(props, 25);
  }
  assert.ok(props.painted.length <= 16, `${props.painted.length}`);
});

test('what the browser does for a frame is the cost of those who painted in it, each by its part', () => {
  const screen = makeScreen(), after = [];
  screen.loop.afterFrame = (act) => after.push(act);
  const chart = screen.job(8, { group: 'chart' }), tile = screen.job(2);
  const paintsIn = (job, ms) => {
    const { length } = job.painted;
    for (const until = screen.now + ms; screen.now < until;) {
      screen.loop.mark(chart);
      screen.loop.mark(tile);
      screen.advance(16);
      if (after.length > 0) { screen.now += 10; after.splice(0).forEach((act) => act()); } // style, layout, raster
    }
    return job.painted.length - length;
  };
  const tiles = paintsIn(tile, 10_000), charts = paintsIn(chart, 10_000);
  assert.ok(tiles > 110 && tiles < 160, `texts rest 4 × 12 ms where they are alone in a frame: ${tiles}`);
  assert.ok(charts > 90 && charts < 130, `charts rest 3 × 18 ms where they are alone: ${charts}`);
});

test('one frame that was dear does not hold up its group for long', () => {
  const screen = makeScreen(), grid = screen.job(3_000, { group: 'changes' });
  screen.advance(16);
  screen.loop.mark(grid);
  screen.advance(600);
  assert.equal(grid.painted.length, 2);
});

test('a slow chart does not hold up texts', () => {
  const screen = makeScreen(), chart = screen.job(60, { group: 'chart' }), tile = screen.job(0.1);
  for (let i = 0; i < 100; i += 1) { screen.loop.mark(chart); screen.loop.mark(tile); screen.advance(16); }
  assert.ok(tile.painted.length > 5 * chart.painted.length);
});

test('no animation frame takes more than its budget and one paint', () => {
  const screen = makeScreen(), jobs = Array.from({ length: 20 }, () => screen.job(5));
  screen.advance(16);
  assert.equal(jobs.filter((job) => job.painted.length).length, 3);
  screen.advance(3_000);
  assert.ok(jobs.every((job) => job.painted.length === 1));
});

test('what cannot be painted yet is tried again without spinning', () => {
  let isReady = false;
  const screen = makeScreen(), job = screen.job(0.1, { ready: () => isReady });
  screen.advance(2_000);
  assert.ok(screen.frames <= 9, `${screen.frames}`);
  isReady = true;
  screen.advance(300);
  assert.equal(job.dirty, false);
});

test('a painter that fails does not stop the others', (context) => {
  context.mock.method(console, 'error', () => {});
  const screen = makeScreen(), good = screen.job(0.1);
  screen.loop.add(new Job({ group: 'text', paint() { throw new Error('broken'); } }));
  screen.advance(1_000);
  assert.equal(good.painted.length, 1);
});

test('values are written by type, decimals and unit', () => {
  assert.equal(value(1234.567, { type: 'number', decimals: 1 }), '1,234.6');
  assert.equal(value(3, { type: 'integer' }), '3');
  assert.equal(value(true, { type: 'flag' }), 'yes');
  assert.equal(value(null, { type: 'number' }), '—');
  assert.equal(value(0, { type: 'number', decimals: 0 }), '0');
  assert.equal(number(0.5), '0.5');
  assert.equal(withUnit('3', 'min'), '3\u00a0min');
  assert.equal(withUnit('—', 'min'), '—');
});

test('lengths of time are short', () => {
  const words = [-5, 400, 9_940, 12_000, 90_000, 7_200_000, 200_000_000].map(duration);
  assert.deepEqual(words, ['0.0 s', '0.4 s', '9.9 s', '12 s', '2 min', '2 h', '2 d']);
});

test('text from data stays text in a chart', () => {
  assert.equal(escapeHtml('<b onclick="x">&'), '&#60;b onclick=&#34;x&#34;&#62;&#38;');
  const palette = { series: ['red'] };
  const trace = traceOf({ t: [1], v: [2] }, { label: '<i>', place: 0, palette, spec: { unit: '<u>' } });
  assert.equal(trace.name, '&#60;i&#62;');
  assert.ok(!trace.hovertemplate.includes('<i>') && !trace.hovertemplate.includes('<u>'));
});

test('a level is the one of the thresholds that are reached', () => {
  const above = [{ at: 15, level: 'warn' }, { at: 30, level: 'bad' }], below = [{ at: 80, level: 'warn' }, { at: 60, level: 'bad' }];
  assert.deepEqual([14.9, 15, 30].map((one) => levelOf(one, above)), ['ok', 'warn', 'bad']);
  assert.deepEqual([80, 79, 59].map((one) => levelOf(one, below, 'below')), ['ok', 'warn', 'bad']);
  assert.equal(levelOf(undefined, above), 'none');
  assert.equal(levelOf('text', []), 'none');
  assert.equal(levelOf(5, []), 'ok');
});

test('a change is counted from the first to the last known value', () => {
  const change = changeOf({ t: [0, 60_000, 120_000, 180_000], v: [null, 10, 30, null] }, { decimals: 0 });
  assert.deepEqual(change, { direction: 'up', text: '+20 in 1 min' });
  assert.equal(changeOf({ t: [0], v: [1] }, {}), null);
  assert.equal(changeOf({ t: [0, 1_000], v: [5, 5] }, { decimals: 0 }).direction, 'flat');
  assert.equal(changeOf({ t: [0, 1_000], v: [0.5, 0.4] }, { decimals: 0, scale: 100, unit: '%' }).text, '−10 points in 1.0 s');
});

test('a sparkline breaks at gaps and stays inside its box', () => {
  const path = trendPath({ t: [0, 1, 2, 3, 4], v: [1, 3, null, 2, 2] });
  assert.equal(path, 'M0.0 23.0L25.0 1.0M75.0 12.0L100.0 12.0');
  assert.equal(trendPath({ t: [0], v: [1] }), '');
  assert.deepEqual(within({ t: [0, 50, 100], v: [1, 2, 3] }, 50), { t: [50, 100], v: [2, 3] });
  assert.deepEqual(within(undefined, 50), { t: [], v: [] });
});

test('a thinned series keeps its peaks and its gaps', () => {
  const t = Array.from({ length: 1_000 }, (_, i) => i), v = t.map((i) => (i === 333 ? 99 : i === 700 ? -99 : i === 500 ? null : i % 3));
  const { t: kept, v: values } = thinned({ t, v }, 120);
  assert.ok(kept.length <= 130);
  for (const one of [99, -99, null]) assert.ok(values.includes(one));
  assert.deepEqual(kept, [...kept].sort((a, b) => a - b));
  assert.deepEqual(thinned({ t: [1, 2], v: [1, 2] }, 120), { t: [1, 2], v: [1, 2] });
});

test('a chart shows the groups of its aggregate, in an order that stays', () => {
  const known = ['delay:JFK', 'delay:EWR', 'count:EWR', 'delay'], fields = [{ field: 'delay', label: 'Delay' }];
  assert.deepEqual(shownSeries(known, { fields, by: true }), [['delay:JFK', 'JFK'], ['delay:EWR', 'EWR']]);
  assert.deepEqual(shownSeries(known, { fields, by: true, names: ['EWR'] }), [['delay:EWR', 'EWR']]);
  assert.deepEqual(shownSeries(known, { fields }), [['delay', 'Delay']]);
  const both = [...fields, { field: 'count', label: 'Count' }];
  assert.deepEqual(shownSeries(['count', ...known], { fields: both }), [['delay', 'Delay'], ['count', 'Count']]);
  assert.deepEqual(shownSeries(['count'], { fields: both }), [['count', 'Count']], 'a line appears with its first point');
  assert.deepEqual(inOrder(inOrder([], ['c', 'b']), ['c', 'a', 'b']), ['b', 'c', 'a']);
});

test('a trace keeps gaps, scales values and reads as local time', () => {
  assert.equal(localTime(7_200_000, 3_600_000), 10_800_000);
  const trace = traceOf({ t: [0, 1], v: [0.5, null] }, { label: 'a', place: 8, palette: { series: ['red'] }, spec: { scale: 100 } });
  assert.deepEqual(trace.y, [50, null]);
  assert.equal(trace.connectgaps, false);
  assert.equal(trace.line.color, 'red');
  assert.equal(thresholdShapes([{ at: 9, level: 'bad' }], { bad: '#f00' })[0].line.color, '#f00');
});

test('lines differ by their dashes too, and those of one colour by nothing else', () => {
  const palette = { series: ['1', '2', '3', '4', '5', '6', '7', '8'] };
  const lines = Array.from({ length: 32 }, (_, place) => traceOf({ t: [0, 1], v: [0, 1] }, { label: 'a', place, palette, spec: {} }).line);
  assert.equal(lines[0].dash, 'solid');
  assert.equal(new Set(lines.slice(0, 4).map(({ dash }) => dash)).size, 4);
  assert.equal(new Set(lines.map(({ color, dash }) => `${color} ${dash}`)).size, 32);
});

test('the points of an open window are ringed, those of a group that has ended are not', () => {
  const line = (color) => ({ color }), traces = [
    { x: [1, 2], y: [5, 6], line: line('red') }, { x: [1], y: [7], line: line('blue') }, { x: [2], y: [null], line: line('green') },
  ];
  const { x, y, marker } = openWindow(traces);
  assert.deepEqual([x, y, marker.color], [[2], [6], ['red']]);
});

/** An axis of 100 px for 0 to 100. */
const axis = (autorange = true, flip = false) => ({ autorange, _length: 100, c2p: (one) => (flip ? 100 - one : one) });

test('a line is written on the axes that were drawn, with a gap where a value is missing', () => {
  const axes = { x: axis(), y: axis(true, true) };
  assert.equal(pathOf({ x: [0, 10, 20, 30, 40], y: [0, 50, null, 100, 12.34] }, axes), 'M0,100L10,50M30,0L40,87.7');
  assert.equal(pathOf({ x: [], y: [] }, axes), '');
});

test('a point outside of what is drawn asks for a drawing, unless the reader chose what is seen', () => {
  const outside = [{ x: [101], y: [5] }, { x: [5], y: [101] }, { x: [5], y: [-1] }];
  for (const line of outside) assert.equal(pathOf(line, { x: axis(), y: axis(true, true) }), null);
  for (const line of outside) assert.notEqual(pathOf(line, { x: axis(false), y: axis(false, true) }), null);
  assert.notEqual(pathOf({ x: [-5], y: [5] }, { x: axis(), y: axis() }), null, 'what has left to the left may go');
});

test('a drawing keeps room for the points to come', () => {
  const { x, y } = room([{ x: [0, 600_000] }, { x: [0, 500_000] }, { x: [] }]);
  assert.deepEqual([x, y], [[618_000], [null]]);
  assert.deepEqual(room([{ x: [0, 10_000] }]).x, [12_000], 'not more than a fifth of a short line');
  assert.deepEqual(room([{ x: [50_000] }]).x, [40_000, 60_000], 'a moment alone has some time around it');
  assert.deepEqual(room([{ x: [] }]).x, []);
});

test('a drawing keeps room above and below what is seen, and none below 0 where nothing is', () => {
  assert.deepEqual(headroom([{ y: [-50, 50] }]), [-56, 56]);
  assert.deepEqual(headroom([{ y: [1, 101] }]), [0, 107]);
  assert.deepEqual(headroom([{ y: [0, 10] }, { y: [900, 1_000], visible: 'legendonly' }]), [0, 10.6], 'switched off in the legend');
  assert.deepEqual(headroom([{ y: [5, null, 5] }]), [], 'a level line has its room from Plotly');
});

test('a log shows its newest entries first', () => {
  assert.deepEqual(shownEntries([{ id: 1 }, { id: 2 }, { id: 3 }], 2), [{ id: 3 }, { id: 2 }]);
});

test('a grid gets only the rows that differ from what it shows', () => {
  const a = { n: 1 }, b = { n: 1 }, rows = new Map([['a', a], ['b', b]]), shown = new Map();
  assert.deepEqual(transaction(shown, rows, true), { add: [{ n: 1, id: 'a' }, { n: 1, id: 'b' }], update: [], remove: [] });
  rows.set('a', { n: 2 });
  rows.delete('b');
  rows.set('c', { n: 3 });
  assert.deepEqual(transaction(shown, rows, ['a', 'b', 'c', 'never']), {
    add: [{ n: 3, id: 'c' }], update: [{ n: 2, id: 'a' }], remove: [{ id: 'b' }],
  });
  assert.deepEqual(transaction(shown, rows, true), { add: [], update: [], remove: [] });
});

test('changes for a grid that is not ready, or that empties itself while it is mounted, wait for it', () => {
  const rows = new Map([['a', { n: 1 }]]), timers = [], done = [];
  let api = null;
  const grids = new Grids({
    store: { get: () => ({ state: { rows } }) },
    getApi() { if (api === null) throw new Error('no grid found'); return api; },
    later: (act) => timers.push(act),
  });
  grids.show([{ uid: 'g', channel: 'c' }]);
  rows.set('b', { n: 2 });
  grids.update({ c: ['b'] });
  const held = new Set();
  const options = { suppressNoRowsOverlay: true };
  api = {
    getRowNode: (id) => (held.has(id) ? {} : undefined),
    getGridOption: (name) => options[name],
    setGridOption: (name, value) => { options[name] = value; },
    showNoRowsOverlay: () => assert.fail('there are rows'),
    applyTransaction: (change) => { done.push(change); if (done.length > 1) change.add.forEach(({ id }) => held.add(id)); },
  };
  timers.shift()();
  assert.equal(options.suppressNoRowsOverlay, true, 'as it mounts nothing is said of rows');
  timers.shift()(); // it has emptied itself meanwhile
  timers.shift()();
  assert.equal(options.suppressNoRowsOverlay, false, 'rows that go later are told of');
  assert.deepEqual(done.map(({ add }) => add.map(({ id }) => id)), [['a', 'b'], ['a', 'b']]);
  assert.equal(timers.length, 0);
});

test('the frame of a grid is drawn anew now and then, so that React lets go of what it was told', () => {
  const told = [], held = new Set(['a']), rows = new Map([['a', { n: 0 }]]);
  const api = {
    getRowNode: (id) => held.has(id), applyTransaction() {}, getGridOption: () => false,
    setGridOption: (name, value) => told.push([name, value]), showNoRowsOverlay() {},
  };
  const grids = new Grids({ store: { get: () => ({ state: { rows } }) }, getApi: () => api, later() {} });
  grids.show([{ uid: 'g', channel: 'c' }]);
  for (let n = 1; n < 1_000; n += 1) {
    rows.set('a', { n });
    grids.update({ c: ['a'] });
  }
  const [gone, back] = [['enableCellTextSelection', false], ['enableCellTextSelection', true]];
  assert.deepEqual(told, [gone, back, gone, back]);
});

test('a grid whose channel has no rows says so, once', () => {
  const told = [], options = { suppressNoRowsOverlay: true }, timers = [], rows = new Map();
  const api = {
    getRowNode: () => undefined, applyTransaction() {}, getGridOption: (name) => options[name],
    setGridOption: (name, value) => { options[name] = value; }, showNoRowsOverlay: () => told.push('none'),
  };
  const grids = new Grids({ store: { get: () => ({ state: { rows } }) }, getApi: () => api, later: (act) => timers.push(act) });
  grids.show([{ uid: 'g', channel: 'c' }]);
  grids.update({ c: [] });
  assert.deepEqual([told, options, timers.length], [['none'], { suppressNoRowsOverlay: false }, 0]);
});

test('a report carries what happened since the last one, as sketches that merge', () => {
  const telemetry = new Telemetry();
  telemetry.count('gaps');
  telemetry.observe('created_to_received', 12);
  telemetry.observe('created_to_received', NaN);
  const report = telemetry.report(true);
  assert.deepEqual([report.op, report.gaps, report.visible], ['report', 1, true]);
  assert.deepEqual(report.stages, { created_to_received: [0, [-221, 1], []] });
  assert.deepEqual(report.received_ms, { p50: 11.9, p95: 11.9, p99: 11.9, n: 1 });
  assert.deepEqual(report.painted_ms, { p50: null, p95: null, p99: null, n: 0 });
  assert.deepEqual([telemetry.report(true).stages, telemetry.stats().gaps], [{}, 1]);
});

test('quantiles of a sketch are within 1 %, and it stays small', () => {
  const sketch = new Sketch();
  for (let i = 1; i <= 50_000; i += 1) sketch.add(i / 1000);
  sketch.add(0);
  for (const q of [0.01, 0.5, 0.95, 0.99]) {
    const exact = (q * 50_000) / 1000;
    assert.ok(Math.abs(sketch.quantile(q) - exact) / exact < 0.0101, `${q}: ${sketch.quantile(q)} for ${exact}`);
  }
  assert.ok(sketch.bins.size < 600);
  assert.equal(new Sketch().quantile(0.5), null);
});
