/* Look-back: how far back the charts of a page look. Above each chart stand the windows that its channel's history can give,
   the period before, and the way back to live; what is read shows how far it is, and can be stopped. The choice is the
   page's, and in its address, so that a link restores it. */

import { moment } from './format.mjs';
import { setText } from './nodes.mjs';
import { Turns } from './reading.mjs';
import { View, nameOf, reader } from './view.mjs';

const YOUNG = 0.05; // of a window: where so much of it is empty, the chart says since when there is something
const WINDOW = 'window', COMPARE = 'compare'; // in the address

export class LookBack {
  #views = new Map(); // section → {view, bar}

  /** `scope` is the window; `onChange(section)` is told that a chart has something else to show; `held(section)` gives
      what a paused one shows. */
  constructor({ scope, store, onChange, held = () => undefined }) {
    const later = (act, ms) => scope.setTimeout(act, ms), fetch = (...asked) => scope.fetch(...asked);
    Object.assign(this, { scope, store, later, onChange, held, read: reader({ turns: new Turns(), fetch, later }) });
  }

  /** A component came onto the page. */
  bound(section, spec) {
    const place = section.querySelector('[data-lookback]');
    if (place === null || !spec.lookback) return;
    const { store, read, later } = this;
    const look = (view) => { bar.show(view, this.#isZoomed(view)); };
    const onChange = (one) => { look(one); this.onChange(section); }, held = () => this.held(section)?.get(spec.channel);
    const view = new View(section, spec, { store, read, later, onChange, onLook: look, held });
    const bar = new Bar(place, spec, section.getAttribute('aria-label'), {
      onWindow: (name) => this.choose(name, view), onCompare: () => this.compare(!view.isComparing), onLive: () => this.live(view),
      onStop: () => { view.show(null); look(view); }, onAgain: () => view.again(),
    });
    this.#views.set(section, { view, bar });
    const asked = new URLSearchParams(this.scope.location.search);
    view.show(asked.get(WINDOW));
    view.compare(asked.get(COMPARE) === '1');
    look(view);
  }

  /** A component left the page. */
  gone(section) {
    this.#views.get(section)?.view.stop();
    this.#views.delete(section);
  }

  /** How far back the chart looks that looks back furthest, in ms. */
  get longest_ms() { return Math.max(0, ...[...this.#views.values()].map(({ view }) => view.window_ms)); }

  /** A frame was applied to the store. */
  applied(frame) {
    for (const { view } of this.#views.values()) if (view.spec.channel === frame.channel) view.applied(frame);
  }

  /** Shows a window on every chart that can give it; a chart's own span leads all of them back to theirs. */
  choose(name, by) {
    const isOwn = by.spec.lookback.some((one) => one[0] === by.spec.span_ms && nameOf(one) === name);
    this.#write(WINDOW, isOwn ? null : name);
    for (const { view } of this.#views.values()) {
      this.#resetZoom(view);
      view.show(isOwn ? null : name);
    }
  }

  compare(isComparing) {
    this.#write(COMPARE, isComparing ? '1' : null);
    for (const { view } of this.#views.values()) view.compare(isComparing);
  }

  /** Back to what the chart shows by itself, whatever was zoomed or chosen. */
  live(view) {
    this.#resetZoom(view);
    this.choose(nameOf(view.spec.lookback.find(([ms]) => ms === view.spec.span_ms)), view);
  }

  #write(name, value) {
    const { location, history } = this.scope, address = new URL(location.href);
    if (value === null) address.searchParams.delete(name);
    else address.searchParams.set(name, value);
    history.replaceState(history.state, '', address);
  }

  #isZoomed(view) {
    const graph = graphOf(view), { xaxis, yaxis } = graph?.layout ?? {};
    if (graph?._fullLayout && view.ownRange === undefined) view.ownRange = yaxis?.autorange === false ? [...yaxis.range] : null;
    if (view.ownRange == null) return xaxis?.autorange === false || yaxis?.autorange === false;
    return xaxis?.autorange === false || String(yaxis.range) !== String(view.ownRange);
  }

  #resetZoom(view) {
    if (!this.#isZoomed(view)) return;
    const value = view.ownRange === null ? { 'yaxis.autorange': true } : { 'yaxis.range': [...view.ownRange] };
    this.scope.Plotly.relayout(graphOf(view), { 'xaxis.autorange': true, ...value });
  }
}

const graphOf = ({ section }) => section.querySelector('.js-plotly-plot');

/** The row above a chart. */
class Bar {
  constructor(place, spec, title, { onWindow, onCompare, onLive, onStop, onAgain }) {
    const group = node('div', { class: 'lookback-choice', role: 'group', 'aria-label': `Window of ${title}` });
    this.windows = spec.lookback.map((one) => {
      const button = node('button', { type: 'button', class: 'look', 'data-look': nameOf(one) }, one[1]);
      button.addEventListener('click', () => onWindow(nameOf(one)));
      return [one[0], button];
    });
    group.append(...this.windows.map(([, button]) => button));
    this.compare = node('button', { type: 'button', class: 'look compare' }, 'Period before');
    this.live = node('button', { type: 'button', class: 'look back-to-live', hidden: '' }, 'Back to live');
    this.stop = node('button', { type: 'button', class: 'look' }, 'Stop');
    this.again = node('button', { type: 'button', class: 'look' }, 'Try again');
    this.told = node('span', { class: 'lookback-told', role: 'status' });
    this.progress = node('progress', { max: '1', 'aria-label': `History of ${title}` });
    for (const [button, act] of [[this.compare, onCompare], [this.live, onLive], [this.stop, onStop], [this.again, onAgain]]) {
      button.addEventListener('click', act);
    }
    const standing = node('div', { class: 'lookback-standing' });
    standing.append(this.progress, this.told, this.stop, this.again);
    place.replaceChildren(group, this.compare, this.live, standing);
  }

  show(view, isZoomed) {
    for (const [ms, button] of this.windows) button.setAttribute('aria-pressed', String(ms === view.window_ms));
    const { isReading, trouble } = view;
    this.compare.hidden = !view.canCompare && !view.isComparing;
    this.compare.disabled = !view.canCompare;
    this.compare.setAttribute('aria-pressed', String(view.isComparing && view.canCompare));
    this.live.hidden = view.isOwn && !isZoomed;
    this.progress.hidden = this.stop.hidden = !isReading;
    if (isReading) this.progress.value = view.share;
    this.again.hidden = trouble === '';
    setText(this.told, trouble === '' ? standingInWords(view) : `History could not be read: ${trouble}`);
    this.told.toggleAttribute('data-trouble', trouble !== '');
  }
}

/** What is known of the window, in words; said once, and not with each part that arrives. */
export function standingInWords(view) {
  if (view.isReading) return `Reading ${view.label}`;
  const { past } = view;
  if (past === null) return '';
  if (past.isTorn) return 'The archive is behind: it is asked again';
  const first = Math.min(...past.names().map((name) => past.line(name).t[0] ?? Infinity));
  if (first > view.since + YOUNG * view.window_ms) return first === Infinity ? 'Nothing is archived' : `Nothing before ${moment(first)}`;
  return past.hourlyUntil ? 'Older hours as their least and greatest value' : '';
}

function node(tag, attributes, text = '') {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== '') made.textContent = text;
  return made;
}
