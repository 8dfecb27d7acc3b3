/* Take away: the menu of a component: files of what it shows or of an interval, a picture, a link to this very view.
   It is no part of Dash's page, which asks every component at every change; what is in it is drawn when it is opened. A long file says how far it is, and can be stopped. */

import { clock, day, moment, number } from './format.mjs';
import { Pieces, shareOf } from './pieces.mjs';
import { picture } from './picture.mjs';
import { shownRows } from './shown.mjs';
import { viewOf } from './view.mjs';
import { fieldOf, readField, zoneLabel } from './zone.mjs';

const HOUR_MS = 3_600_000;
const FORMATS = [['csv', 'CSV'], ['parquet', 'Parquet']];

const iso = (ms) => new Date(ms).toISOString();
const STAMPED = { live: () => '', paused: (at) => ` · paused at ${iso(at)}`, replay: (at) => ` · replay of ${iso(at)}, not live` };
const SAID = { live: () => '', paused: (at) => `, paused ${clock(at)}`, replay: (at) => `, a replay of ${day(at)}, ${clock(at)}` };

/** How what is taken away stands, after other words: nothing where it is live. `standing` {shown, at}. */
export const standingInWords = ({ shown, at }) => SAID[shown](at);

/** What stands below a picture: channel, position, age when it was shown, how it stands, time, source. */
export function stampLines({ name, position, createdAt }, source, { shown, at, taken }) {
  const where = position ? `position ${position.epoch}:${position.seq}` : 'no position';
  const age = createdAt === null ? 'no event yet' : `newest event ${number(Math.max(0, at - createdAt) / 1000, 1)} s old`;
  return [`${name} · ${where} · ${age}${STAMPED[shown](at)} · taken ${iso(taken)}`, source];
}

/** The file's name as the server gave it. */
export function nameOf(disposition, fallback) {
  return /filename="([^"]+)"/.exec(disposition ?? '')?.[1] ?? fallback;
}

/** In words what went wrong, as the server told it. */
export async function refusalOf(answer) {
  const told = await answer.json().catch(() => ({}));
  return new Error(told.detail ?? `the server answered ${answer.status}`);
}

/** Hands a file to the browser to save. `scope` is the window. */
export function saveFile({ document, URL: urls }, blob, name) {
  const href = urls.createObjectURL(blob);
  const link = Object.assign(document.createElement('a'), { href, download: name });
  link.click(); // not on the page: there its click would close the menu
  setTimeout(() => urls.revokeObjectURL(href), 60_000);
}

export class TakeAway {
  #columnsOf = new WeakMap(); // menu → {api, group}: the grid whose columns it offers

  /** `specOf(element)` is what the component shows now; `shownBy(element)` the channels as it
      shows them; `standing(element)` how they stand: {shown: live, paused or replay, at: the time that is shown, taken: the
      time of now}; `gridOf(element)` a table's grid or null; `palette()`; `scope` the window;
      `matches(element)` which log entries it shows; `painterOf(spec)` the painter of what is painted; `columns(api)` a table's choice of columns. */
  constructor({ scope, shownBy, standing, specOf, gridOf, columns, palette, matches, painterOf }) {
    Object.assign(this, { scope, shownBy, standing, specOf, gridOf, columns, palette, matches, painterOf });
  }

  /** Listens for menus that are opened, wherever on the page they are. */
  watch() {
    const { document } = this.scope;
    const open = () => [...document.querySelectorAll('details.menu[open]')];
    document.addEventListener('toggle', ({ target }) => {
      if (target.matches?.('details.menu[open]')) this.#draw(target);
    }, true); // it does not bubble, but it is captured
    document.addEventListener('click', ({ target }) => {
      for (const menu of open()) if (!menu.contains(target)) menu.open = false;
    });
    document.addEventListener('keydown', ({ key }) => {
      if (key !== 'Escape') return;
      for (const menu of open()) {
        menu.open = false;
        menu.querySelector('summary').focus();
      }
    });
    return this;
  }

  /** Puts a menu, still empty, into a component's head; one that has one is left alone. */
  attach(element) {
    const head = element.querySelector('.block-head');
    if (head === null || head.querySelector('.menu')) return;
    const menu = this.#make('details', 'menu'), summary = this.#make('summary', ''), title = head.querySelector('.block-title').textContent;
    Object.assign(summary, { textContent: '⋮', title: 'Menu: files, picture, link' });
    summary.setAttribute('aria-label', `Menu: ${title}`);
    menu.append(summary, this.#make('div', 'popover menu-body'));
    head.append(menu);
  }

  /** A grid is ready: what a menu that is open already could not offer before is added to it. */
  gridReady() {
    for (const menu of this.scope.document.querySelectorAll('details.menu[open]')) this.#draw(menu);
  }

  #draw(menu) {
    const body = menu.querySelector('.menu-body'), element = menu.closest('[data-live]'), told = JSON.parse(element.dataset.menu ?? '{}');
    if (body.firstChild) return void this.#renew(menu, element);
    const isChart = element.classList.contains('chart');
    const shown = this.#group('What is shown', FORMATS.map(([form, label]) => [label, () => this.#saveShown(element, form)]));
    if (isChart) shown.append(this.#button('PNG', () => this.#savePicture(element, told)));
    body.append(shown, ...(told.history ? [this.#interval(menu, element)] : []));
    body.append(this.#group('Link', [['Copy link to this view', () => this.#copyLink(menu)]]), this.#make('div', 'menu-progress'));
    const status = this.#make('p', 'menu-status');
    status.setAttribute('role', 'status');
    body.append(status);
    shown.querySelector('legend').dataset.shown = '';
    this.#renew(menu, element);
  }

  /** Says what would be taken: of now, or of the time at which the component is held; an interval that nobody has set
      ends there. */
  #renew(menu, element) {
    this.#offerColumns(menu, element);
    const standing = this.standing(element);
    menu.querySelector('[data-shown]').textContent = `What is shown${standingInWords(standing)}`;
    for (const input of menu.querySelectorAll('input[data-before]:not([data-set])')) input.value = fieldOf(standing.at - input.dataset.before);
  }

  /** The columns of the grid that a table has now are first in its menu. */
  #offerColumns(menu, element) {
    const api = this.gridOf(element), offered = this.#columnsOf.get(menu);
    if (!api || offered?.api === api) return;
    const group = this.columns(api);
    offered?.group.remove();
    menu.querySelector('.menu-body').prepend(group);
    this.#columnsOf.set(menu, { api, group });
  }

  #interval(menu, element) {
    const group = this.#group(`An interval (${zoneLabel(this.standing(element).at)})`, []);
    const fields = [['From', HOUR_MS], ['Until', 0]].map(([label, before]) => {
      const field = this.#make('label', 'menu-field'), input = this.scope.document.createElement('input');
      Object.assign(input, { type: 'datetime-local', step: 1 });
      input.dataset.before = before;
      input.addEventListener('input', () => { input.dataset.set = ''; });
      field.append(label, input);
      group.append(field);
      return input;
    });
    for (const [form, label] of FORMATS) {
      group.append(this.#button(label, () => {
        const [since, until] = fields.map(({ value }) => readField(value));
        return this.#savePast(menu, element, form, { since, until });
      }));
    }
    return group;
  }

  #group(title, buttons) {
    const group = this.#make('fieldset', 'menu-group'), legend = this.#make('legend', '');
    legend.textContent = title;
    group.append(legend, ...buttons.map(([label, act]) => this.#button(label, act)));
    return group;
  }

  #button(label, act) {
    const button = this.#make('button', 'menu-button');
    Object.assign(button, { type: 'button', textContent: label });
    button.addEventListener('click', async () => {
      const menu = button.closest('details.menu');
      this.#say(menu, '');
      try {
        this.#say(menu, (await act()) ?? '');
      } catch (error) {
        this.#say(menu, error.name === 'AbortError' ? 'Cancelled, nothing was saved' : `Not saved: ${error.message}`);
      }
    });
    return button;
  }

  #make(tag, className) { return Object.assign(this.scope.document.createElement(tag), { className }); }

  #say(menu, text) {
    const status = menu.querySelector('.menu-status');
    if (status) status.textContent = text;
  }

  async #saveShown(element, form) {
    const spec = this.specOf(element), channel = this.shownBy(element).get(spec.channel);
    const graph = element.querySelector('.js-plotly-plot');
    const parts = { graph, api: this.gridOf(element), view: viewOf(element) ?? null, matches: this.matches(element), painter: this.painterOf(spec) };
    const { columns, rows } = shownRows(spec, channel?.state, parts);
    const standing = this.standing(element), { shown, at } = standing, stamp = { position: channel?.position ?? null, created_at: channel?.createdAt ?? null };
    const body = JSON.stringify({ format: form, columns, rows, ...stamp, shown, shown_at: Math.round(at) });
    const headers = { 'Content-Type': 'application/json' };
    const answer = await fetch(this.#address(spec), { method: 'POST', headers, body });
    if (!answer.ok) throw await refusalOf(answer);
    this.#save(await answer.blob(), nameOf(answer.headers.get('Content-Disposition'), `${spec.channel}.${form}`));
    return `${number(rows.length)} ${rows.length === 1 ? 'row' : 'rows'} saved${standingInWords(standing)}`;
  }

  async #savePast(menu, element, form, interval) {
    if (!(interval.since < interval.until)) throw new Error('the interval ends before it begins');
    const abort = new AbortController(), progress = this.#progress(menu, abort);
    try {
      const query = new URLSearchParams({ ...interval, format: form, progress: 1 }), spec = this.specOf(element);
      const answer = await fetch(`${this.#address(spec)}?${query}`, { signal: abort.signal });
      if (!answer.ok) throw await refusalOf(answer);
      const pieces = await this.#read(answer, (told) => progress.show(shareOf(told, interval), told));
      const type = answer.headers.get('Content-Type');
      this.#save(new Blob(pieces.parts, { type }), nameOf(answer.headers.get('Content-Disposition'), `${spec.channel}.${form}`));
      const gaps = Number(answer.headers.get('Headwater-Gaps') ?? 0);
      const missing = gaps ? `; ${gaps} known ${gaps === 1 ? 'gap' : 'gaps'} in it` : '';
      const whole = spec.only || spec.isWhole ? `, of the whole channel: ${spec.choice.field} is a column of it` : '';
      return `${number(pieces.told.rows)} rows saved${whole}${missing}`;
    } finally {
      progress.end();
    }
  }

  async #read(answer, onTold) {
    const pieces = new Pieces(), reader = answer.body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      pieces.push(value);
      if (pieces.told?.error) throw new Error(pieces.told.error);
      if (pieces.told) onTold(pieces.told);
    }
    if (!pieces.isWhole) throw new Error('the connection ended before the file was whole');
    return pieces;
  }

  #progress(menu, abort) {
    const place = menu.querySelector('.menu-progress'), bar = this.#make('progress', ''), text = this.#make('span', '');
    const cancel = this.#make('button', 'menu-button');
    Object.assign(bar, { max: 1, value: 0 });
    bar.setAttribute('aria-label', 'Export');
    Object.assign(cancel, { type: 'button', textContent: 'Cancel' });
    cancel.addEventListener('click', () => abort.abort());
    place.replaceChildren(bar, text, cancel);
    return {
      show(share, told) {
        bar.value = share;
        text.textContent = `${number(told.rows)} rows${told.until ? `, up to ${moment(told.until)}` : ''}`;
      },
      end: () => place.replaceChildren(),
    };
  }

  async #savePicture(element, { source }) {
    const { Plotly } = this.scope, graph = element.querySelector('.js-plotly-plot'), spec = this.specOf(element);
    if (!Plotly || !graph) throw new Error('the chart is not drawn yet');
    const standing = this.standing(element), channel = this.shownBy(element).get(spec.channel), title = element.querySelector('.block-title').textContent;
    const stamp = stampLines(channel ?? { name: spec.channel, position: null, createdAt: null }, source, standing);
    const font = this.scope.getComputedStyle(this.scope.document.body).fontFamily;
    const blob = await picture(Plotly, graph, { title, stamp, font, palette: this.palette() });
    const time = iso(standing.taken).replace(/[-:]|\.\d+/g, '');
    this.#save(blob, `${spec.channel.replace(/[^\w.]/g, '-')}-at-${time}.png`);
    return `Picture saved${standingInWords(standing)}`;
  }

  async #copyLink(menu) {
    const { href } = this.scope.location;
    try {
      await this.scope.navigator.clipboard.writeText(href);
      return 'Link copied';
    } catch { // without a secure context, or not allowed: to be copied by hand
      const field = Object.assign(this.scope.document.createElement('input'), { value: href, readOnly: true, className: 'menu-link' });
      field.setAttribute('aria-label', 'Link to this view');
      menu.querySelector('.menu-progress').replaceChildren(field);
      field.select();
      return 'Copy the link from the field';
    }
  }

  #address({ channel }) { return `/api/channels/${encodeURIComponent(channel)}/export`; }

  #save(blob, name) { saveFile(this.scope, blob, name); }
}
