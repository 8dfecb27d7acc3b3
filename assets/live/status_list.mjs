/* The painter of a status list: rows by their state, what is wrong first; each state has a word and a shape. */

import { nameOf } from './bar.mjs';
import { number, value as inWords, withUnit } from './format.mjs';
import { make, setData, setText } from './nodes.mjs';
import { levelOf } from './tile.mjs';

const ORDER = ['bad', 'warn', 'none', 'ok'];
const COUNTED = { bad: 'bad', warn: 'warning', none: 'unknown', ok: 'fine' };
const WORDS = { bad: 'bad', warn: 'warning', none: 'unknown', ok: 'fine' };
const collator = new Intl.Collator('en', { numeric: true });

/** The level of a row: by the word that names its state, or by its number's limits; `none` where nobody says. */
export function stateLevel(raw, { words, thresholds, direction, scale = 1 }) {
  if (typeof raw === 'number' && thresholds.length > 0) return levelOf(raw * scale, thresholds, direction);
  return words[inWords(raw)] ?? 'none';
}

/** The rows as {key, name, level, row}, what is wrong first, else by name. */
export function statesOf(rows, options) {
  const all = [...rows].map(([key, row]) => (
    { key, row, name: nameOf(row, key, options.label), level: stateLevel(row[options.state.field], options) }));
  return all.sort((a, b) => ORDER.indexOf(a.level) - ORDER.indexOf(b.level) || collator.compare(a.name, b.name));
}

/** How many rows are in which state, the worst first. */
export function countedInWords(states) {
  const counts = ORDER.map((level) => [level, states.filter((one) => one.level === level).length]);
  return counts.filter(([, count]) => count > 0).map(([level, count]) => `${number(count, 0)} ${COUNTED[level]}`).join(' · ');
}

function draw(detail) {
  const item = make('li', { className: 'state' }), shape = make('span', { className: 'shape' });
  shape.setAttribute('aria-hidden', 'true');
  item.append(shape, make('span', { className: 'state-name' }), ' ', make('span', { className: 'state-level visually-hidden' }), ' ',
    make('span', { className: 'state-word' }), ...detail.flatMap(({ label }) => [' ', make('span', { className: 'state-detail', title: label })]));
  return item;
}

function fill(item, { name, level, row }, { state, detail, scale }) {
  const raw = row[state.field], shown = typeof raw === 'number' ? raw * scale : raw;
  const [, named, said, word, ...more] = item.children;
  setData(item, 'level', level);
  setText(named, name);
  setText(said, `${WORDS[level]}: `);
  setText(word, withUnit(inWords(shown, state), state.unit));
  detail.forEach((column, i) => setText(more[i], withUnit(inWords(row[column.field], column), column.unit)));
}

export const statusList = {
  mount(place, { options: { rows }, title }) {
    const counted = make('p', { className: 'counted' }), scroll = make('div', { className: 'states-scroll', tabIndex: 0 });
    const list = make('ul', { className: 'states' });
    scroll.setAttribute('role', 'region');
    scroll.setAttribute('aria-label', `${title}: states`);
    if (rows !== null) scroll.style.setProperty('--rows', rows);
    scroll.append(list);
    place.append(counted, scroll);
    return { counted, list, nodes: new Map(), order: '' };
  },

  paint(own, { spec: { options }, state, changed }) {
    const states = statesOf(state.rows, options), order = JSON.stringify(states.map(({ key }) => key));
    for (const one of states) {
      const isNew = !own.nodes.has(one.key);
      if (isNew) own.nodes.set(one.key, draw(options.detail));
      if (isNew || changed === true || changed.has(one.key)) fill(own.nodes.get(one.key), one, options);
    }
    for (const key of own.nodes.keys()) if (!state.rows.has(key)) own.nodes.delete(key);
    if (order !== own.order) own.list.replaceChildren(...states.map(({ key }) => own.nodes.get(key)));
    own.order = order;
    setText(own.counted, countedInWords(states));
  },

  rows({ fields, options }, { rows }) {
    const names = fields.map(({ field }) => field);
    return { columns: ['key', ...names, 'created_at'], rows: statesOf(rows, options).map(({ key, row }) => ({ key, ...row })) };
  },
};
