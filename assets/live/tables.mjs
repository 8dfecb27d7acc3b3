/* Tables: how each table of the open page is filtered, sorted and which columns it shows, kept in the page's address: a
   link restores it, and the browser's back and forward go through the steps. What is as declared is not written. */

import { keepFitted } from './columns.mjs';

const TYPING_MS = 1_500; // what is typed within so long is one step of the browser's history
const PARTS = ['q', 'where', 'sort', 'columns'];
const OPEN = 'row-details'; // the column that opens a row is no choice

/** What a grid shows, as texts of an address; null for what is as `declared`. */
export function stateOf(api, declared = {}) {
  const columns = api.getColumnState().filter(({ colId }) => colId !== OPEN), where = api.getFilterModel() ?? {};
  const sorted = columns.filter(({ sort }) => sort).sort((a, b) => (a.sortIndex ?? 0) - (b.sortIndex ?? 0));
  const state = {
    q: api.getGridOption('quickFilterText') ?? '',
    where: Object.keys(where).length > 0 ? JSON.stringify(where) : '',
    sort: sorted.map(({ colId, sort }) => (sort === 'desc' ? `-${colId}` : colId)).join(','),
    columns: columns.filter(({ hide }) => !hide).map(({ colId }) => colId).join(','),
  };
  return Object.fromEntries(PARTS.map((part) => [part, state[part] === (declared[part] ?? '') ? null : state[part]]));
}

/** Makes a grid show what an address says; what it does not say, or says of columns that are gone, is as declared. */
export function applyState(api, state, declared) {
  const told = Object.fromEntries(PARTS.map((part) => [part, state[part] ?? declared[part]]));
  const known = api.getColumnState().map(({ colId }) => colId).filter((colId) => colId !== OPEN);
  const named = told.columns.split(',').filter((colId) => known.includes(colId));
  const shown = named.length > 0 ? named : declared.columns.split(',');
  const sorts = told.sort.split(',').filter(Boolean).map((one) => [one.replace(/^-/, ''), one.startsWith('-') ? 'desc' : 'asc']);
  const order = [...shown, ...known.filter((colId) => !shown.includes(colId))];
  api.applyColumnState({
    state: order.map((colId) => {
      const place = sorts.findIndex(([name]) => name === colId);
      return { colId, hide: !shown.includes(colId), sort: place === -1 ? null : sorts[place][1], sortIndex: place === -1 ? null : place };
    }),
    applyOrder: true,
  });
  api.setFilterModel(readWhere(told.where, known));
  api.setGridOption('quickFilterText', told.q);
}

/** A filter that a grid has already is not set again: dash-ag-grid does so after each transaction, and every row would be
    filtered anew for it. */
export function filterOnce(api) {
  const set = api.setFilterModel.bind(api), text = (model) => JSON.stringify(model ?? {});
  api.setFilterModel = (model) => { if (text(model) !== text(api.getFilterModel())) set(model); };
}

/** A filter model from an address, which anybody may have written; null where it is none. */
function readWhere(text, known) {
  try {
    const model = JSON.parse(text || '{}');
    return Object.fromEntries(Object.entries(model).filter(([colId]) => known.includes(colId)));
  } catch {
    return null;
  }
}

/** What each table is called in the address: by its channel; a second one of the same channel by its number too. */
export function namesOf(ids) {
  const seen = new Map();
  return new Map(ids.map(({ uid, channel }) => {
    const name = channel.split(':')[0], number = (seen.get(name) ?? 0) + 1;
    seen.set(name, number);
    return [uid, number === 1 ? name : `${name}~${number}`];
  }));
}

/** The address without what tables have written into it. */
function withoutTables(search) {
  const left = new URLSearchParams(search);
  for (const name of [...left.keys()]) if (/\.(q|where|sort|columns)$/.test(name)) left.delete(name);
  return left.toString();
}

export class Tables {
  #ids = [];
  #open = new Map(); // uid → {id, api, declared, quick: the text in its quick filter}
  #typedAt = -Infinity;
  #search = '';
  #path = '';

  /** `setQuick(id, text)` shows a text in a table's quick filter; `now()` monotonic ms; `fit(api, scope)` keeps a
      grid's columns fitted. */
  constructor({ scope, setQuick, now, fit = keepFitted }) {
    Object.assign(this, { scope, setQuick, now, fit });
    this.#search = scope.location.search;
    // before Dash, which would draw the whole page anew for an address that differs in a table's filter alone
    scope.addEventListener('popstate', (event) => this.#moved(event), { capture: true });
  }

  /** The tables with these ids are on the page, and no others. */
  show(ids) {
    this.#ids = ids;
    const present = new Set(ids.map(({ uid }) => uid));
    for (const uid of this.#open.keys()) if (!present.has(uid)) this.#open.delete(uid);
    this.#search = this.scope.location.search;
    this.#path = this.scope.location.pathname;
  }

  /** A grid can be asked: it takes over what the address says, and its changes are written there from now on. */
  ready(id, api) {
    if (this.#open.get(id.uid)?.api === api) return;
    filterOnce(api);
    if (this.scope.document?.documentElement.dataset.kiosk !== undefined) api.setColumnsVisible([OPEN], false); // nobody opens one there
    const declared = Object.fromEntries(Object.entries(stateOf(api)).map(([part, text]) => [part, text ?? '']));
    const table = { id, api, declared: { ...declared, q: '', where: '' }, quick: '' };
    this.#open.set(id.uid, table);
    this.#apply(table);
    api.setGridOption('tabToNextCell', () => false); // Tab leaves the rows: arrows go through them
    this.fit(api, this.scope);
    for (const event of ['filterChanged', 'sortChanged', 'columnVisible', 'columnMoved']) {
      api.addEventListener(event, () => this.#write(table, false));
    }
  }

  /** Something was typed into a table's quick filter. */
  typed({ uid }, text) {
    const table = this.#open.get(uid);
    if (table === undefined || (table.api.getGridOption('quickFilterText') ?? '') === text) return;
    table.api.setGridOption('quickFilterText', text);
    table.quick = text;
    this.#write(table, true);
  }

  /** A choice of a table's columns, as a group of a menu. */
  columnChoice(api) {
    const { document } = this.scope, group = document.createElement('fieldset'), legend = document.createElement('legend');
    Object.assign(group, { className: 'menu-group menu-columns' });
    legend.textContent = 'Columns';
    group.append(legend);
    const boxes = api.getColumns().filter((column) => column.getColId() !== OPEN).map((column) => {
      const label = document.createElement('label'), box = document.createElement('input');
      Object.assign(box, { type: 'checkbox', checked: column.isVisible() });
      box.addEventListener('change', () => api.setColumnsVisible([column.getColId()], box.checked));
      label.append(box, api.getDisplayNameForColumn(column, null));
      group.append(label);
      return [column, box];
    });
    const look = () => {
      const last = boxes.filter(([column]) => column.isVisible()).length === 1;
      for (const [column, box] of boxes) Object.assign(box, { checked: column.isVisible(), disabled: last && column.isVisible() });
    };
    api.addEventListener('columnVisible', look);
    look();
    return group;
  }

  #apply(table) {
    const asked = new URLSearchParams(this.scope.location.search), name = namesOf(this.#ids).get(table.id.uid) ?? '';
    const state = Object.fromEntries(PARTS.map((part) => [part, asked.get(`${name}.${part}`)]));
    applyState(table.api, state, table.declared);
    if ((state.q ?? '') !== table.quick) this.setQuick(table.id, state.q ?? ''); // Dash takes some milliseconds for it
    table.quick = state.q ?? '';
  }

  #write({ id, api, declared }, isTyping) {
    if (api.isDestroyed?.()) return;
    const { location, history } = this.scope, address = new URL(location.href), name = namesOf(this.#ids).get(id.uid);
    if (name === undefined) return;
    for (const [part, text] of Object.entries(stateOf(api, declared))) {
      if (text === null) address.searchParams.delete(`${name}.${part}`);
      else address.searchParams.set(`${name}.${part}`, text);
    }
    if (address.search === new URL(location.href).search) return;
    const goesOn = isTyping && this.now() - this.#typedAt < TYPING_MS;
    if (isTyping) this.#typedAt = this.now();
    if (goesOn) history.replaceState(history.state, '', address);
    else history.pushState(history.state, '', address);
    this.#search = location.search;
  }

  #moved(event) {
    const before = this.#search, { search } = this.scope.location;
    this.#search = search;
    if (this.#open.size === 0 || this.#path !== this.scope.location.pathname) return;
    if (withoutTables(before) !== withoutTables(search)) return; // more has changed than tables: Dash draws it
    event.stopImmediatePropagation();
    for (const table of this.#open.values()) this.#apply(table);
  }
}
