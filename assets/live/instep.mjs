/* In step: what is pointed at in one chart of a page, by mouse, finger or arrow keys, is shown at the same time in all
   others, or what held then; and the lines of a chart by keyboard: a digit isolates one, 0 or Escape shows all, as a double click in the
   legend does; plus and minus zoom its time, as a drag over it does. */

import { make, setText } from './nodes.mjs';

const ZOOM_LEAST_MS = 1_000;
const SAID_MAX = 12; // lines that are read out; more are in the table of hover texts

/** The place of the point next to `from` in a direction (-1, 1); from nowhere it is the newest one. */
export function nextPlace(times, from, direction) {
  if (from === null) return times.length - 1;
  const next = direction > 0 ? times.findIndex((at) => at > from) : times.findLastIndex((at) => at < from);
  return next !== -1 ? next : direction > 0 ? times.length - 1 : 0;
}

/** Which lines are seen after a key: that of the digit alone, or all; null where there is no such line. */
export function isolated(key, count) {
  if (key === '0' || key === 'Escape') return Array(count).fill(true);
  const wanted = Number(key) - 1;
  return wanted >= 0 && wanted < count ? Array.from({ length: count }, (_, i) => (i === wanted ? true : 'legendonly')) : null;
}

/** The stretch of time that is seen after a key: half or twice as much around `at`, or with Shift half of it further on;
    null for other keys. Times in ms. */
export function zoomed({ key, shiftKey }, [from, until], at) {
  const move = shiftKey ? { ArrowLeft: -0.5, ArrowRight: 0.5 }[key] : undefined, by = { '+': 0.5, '=': 0.5, '-': 2 }[key];
  if (move !== undefined) return [from + move * (until - from), until + move * (until - from)];
  const around = Math.min(until, Math.max(from, at));
  return by === undefined ? null : [around - by * (around - from), around + by * (until - around)];
}

/** What is read out of a moment: its time, then each line with its value. */
export const momentInWords = (time, lines) => [time, ...lines.slice(0, SAID_MAX).map(({ name, text }) => `${name} ${text}`)].join('; ');

const charts = (scope) => [...scope.document.querySelectorAll('.chart .js-plotly-plot')].filter((one) => one._fullLayout?.xaxis);
const leads = (graph) => graph.matches(':hover') || graph.closest('.plot')?.contains(graph.ownerDocument.activeElement);
const timeOn = (graph, x) => graph._fullLayout.xaxis.d2c(x);

let led = null; // {leader, at, isByKeys}: the moment that is pointed at on this page
const due = new Set(); // graphs that show it in the next frame

/** Lets a graph lead the others of its page when it is pointed at, and follow when another is. What is drawn anew has
    its times in other places, or lines that it had not: it shows the moment again. */
export function keepInStep(graph, scope = window) {
  graph.on('plotly_hover', ({ points }) => { if (points.length > 0 && leads(graph)) lead(scope, graph, timeOn(graph, points[0].x)); });
  graph.on('plotly_unhover', () => { if (led?.leader === graph) lead(scope, graph, null); });
  graph.on('plotly_afterplot', () => { if (led !== null) showSoon(scope, [graph]); });
}

/** Brings all charts to the moment that one of them leads to; of several before the next frame the last one counts.
    null is no moment. */
function lead(scope, leader, at, isByKeys = false) {
  led = at === null ? null : { leader, at, isByKeys };
  showSoon(scope, charts(scope));
}

function showSoon(scope, graphs) {
  if (due.size === 0) scope.requestAnimationFrame(() => {
    const those = [...due].filter((one) => one.isConnected && one._fullLayout?.xaxis);
    due.clear();
    those.forEach((one) => show(scope, one));
  });
  graphs.forEach((one) => due.add(one));
}

/** The time of the newest point at or before a moment, of lines {x, y}; null where there is none, or a gap since. */
export function heldAt(lines, at) {
  const held = lines.map(({ x, y }) => {
    const place = x.findLastIndex((one) => one <= at);
    return place === -1 || y[place] == null ? -Infinity : x[place];
  });
  const newest = Math.max(...held);
  return Number.isFinite(newest) ? newest : null;
}

/** Shows on a graph what held at the moment, with its own time, and where nothing did says so. Asked for a time that has
    no point within 20 pixels Plotly would show nothing. */
function show(scope, graph) {
  const moment = led?.leader.isConnected ? led : null; // else its page was left
  if (graph === moment?.leader) {
    if (moment.isByKeys) scope.Plotly.Fx.hover(graph, { xval: moment.at }); // under a mouse Plotly does it by itself
    tellNone(graph, '');
    return;
  }
  const { xaxis } = graph._fullLayout, [from, until] = xaxis.range.map((end) => xaxis.r2c(end));
  const held = moment && heldAt(seenLines(graph).map(({ trace }) => trace), moment.at);
  const isShown = held !== null && held >= from && held <= until;
  tellNone(graph, moment === null || isShown || graph.data.length === 0 ? '' : `no value at ${clockOn(moment.at)}`);
  if (isShown) scope.Plotly.Fx.hover(graph, { xval: held });
  else if (moment !== null || !graph.matches(':hover')) scope.Plotly.Fx.unhover(graph);
}

/** The clock of a time on an axis. */
const clockOn = (at) => new Date(at).toISOString().slice(11, 19);

/** Says over a plot that there is nothing at a moment; for the eye alone, as the plot that leads is what is read out. */
function tellNone(graph, words) {
  const plot = graph.closest('.plot'), found = plot.querySelector('.plot-none');
  if (found === null && words === '') return;
  const place = found ?? plot.appendChild(make('p', { className: 'plot-none' }));
  place.setAttribute('aria-hidden', 'true');
  setText(place, words);
}

/** Listens for keys in the plots of the page. */
export function watchPlots(scope) {
  const at = new WeakMap(); // plot → the time that its keys have reached
  scope.document.addEventListener('keydown', (event) => {
    const plot = event.target.matches?.('.plot') ? event.target : null, graph = plot?.querySelector('.js-plotly-plot');
    if (!graph?._fullLayout || event.ctrlKey || event.altKey || event.metaKey) return;
    const direction = event.shiftKey ? undefined : { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (direction) step(scope, plot, graph, at, direction);
    else if (!zoom(scope, plot, graph, at, event) && !isolate(scope, graph, event.key)) return;
    event.preventDefault();
  });
  scope.document.addEventListener('focusout', ({ target }) => {
    const graph = target.matches?.('.plot') ? target.querySelector('.js-plotly-plot') : null;
    if (at.delete(target) && led?.leader === graph) lead(scope, graph, null);
  });
}

/** Zooms around the point that the keys have reached, or the newest one; what is wider than the lines is all of them. */
function zoom(scope, plot, graph, reached, event) {
  const { xaxis } = graph._fullLayout, seen = xaxis.range.map((end) => xaxis.r2c(end));
  const times = linesOf(graph).flatMap(({ trace: { x } }) => (x.length ? [x[0], x[x.length - 1]] : [])).map((x) => timeOn(graph, x));
  const least = Math.min(...times), most = Math.max(...times), next = zoomed(event, seen, reached.get(plot) ?? most);
  if (next === null || times.length === 0 || next[1] - next[0] < ZOOM_LEAST_MS || next[1] < least || next[0] > most) return next !== null;
  const isAll = next[1] - next[0] >= most - least;
  scope.Plotly.relayout(graph, isAll ? { 'xaxis.autorange': true } : { 'xaxis.range': next });
  return true;
}

function step(scope, plot, graph, reached, direction) {
  const lines = seenLines(graph), longest = lines.reduce((a, b) => (b.trace.x.length > a.trace.x.length ? b : a), lines[0]);
  if (longest === undefined || longest.trace.x.length === 0) return;
  const { xaxis } = graph._fullLayout, [from, until] = xaxis.range.map((end) => xaxis.r2c(end));
  const times = longest.trace.x.map((x) => timeOn(graph, x)).filter((at) => at >= from && at <= until); // what is seen of it
  if (times.length === 0) return;
  const time = times[nextPlace(times, reached.get(plot) ?? null, direction)];
  reached.set(plot, time);
  lead(scope, graph, time, true);
  say(plot, momentInWords(clockOn(time), lines.flatMap(({ trace }) => {
    const place = trace.x.findIndex((x) => timeOn(graph, x) === time), value = trace.y[place];
    return value == null ? [] : [{ name: trace.name, text: `${Math.round(value * 100) / 100}${trace.text?.[place] ?? ''}` }];
  })));
}

/** The lines that stand in the legend, or would if there were more than one. */
function linesOf(graph) {
  return graph.data.map((trace, index) => ({ trace, index, full: graph._fullData[index] })).filter(({ trace, full }) => full && trace.showlegend !== false);
}

const seenLines = (graph) => linesOf(graph).filter(({ full }) => full.visible === true);

function isolate(scope, graph, key) {
  const lines = linesOf(graph), seen = isolated(key, lines.length);
  if (seen === null) return false;
  scope.Plotly.restyle(graph, { visible: seen }, lines.map(({ index }) => index));
  return true;
}

/** Tells a screen reader; the words are there for nobody else. */
function say(plot, words) {
  const found = plot.querySelector('.plot-said') ?? Object.assign(plot.ownerDocument.createElement('p'), { className: 'plot-said visually-hidden', role: 'status' });
  if (!found.isConnected) plot.append(found);
  found.textContent = words;
}
