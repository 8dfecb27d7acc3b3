/* Drawer nodes: the panel of an open row: its fields with what is drawn of each, and the list of its changes. */

import { moment, value, withUnit } from './format.mjs';
import { make, setText } from './nodes.mjs';
import { thinned } from './points.mjs';
import { inWords } from './row_changes.mjs';
import { drawTrend, trendPath } from './tile.mjs';

const LINE_POINTS = 200;
const KINDS = { came: 'Came', gone: 'Left the table' };

/** One change as an item of the list; `isAll` where the archive has nothing before the first one. */
export function drawChange({ at, kind, fields }, columns, isAll) {
  const item = make('li'), time = make('time', { textContent: moment(at), dateTime: new Date(at).toISOString() }), told = make('div', { className: 'change-fields' });
  item.dataset.kind = kind;
  const head = kind === 'first' ? (isAll ? 'First that is kept' : 'As it was, as far back as is read') : KINDS[kind];
  if (head) told.append(make('span', { className: 'change-kind', textContent: head }));
  for (const column of columns) {
    const change = fields.find(({ field }) => field === column.field);
    if (change === undefined) continue;
    const part = make('span', { className: 'change' });
    part.append(make('span', { className: 'change-label', textContent: column.label }), ' ',
      make('span', { className: 'change-words', textContent: inWords(change, (one) => value(one, column), column.unit) }));
    told.append(part);
  }
  item.append(time, told);
  return item;
}

/** The panel with its nodes. */
export function drawDrawer({ row: { fields } }, title, key, { onClose, onEarlier, onStop }) {
  const dialog = make('dialog', { className: 'drawer', tabIndex: -1 }), head = make('header', { className: 'drawer-head' });
  dialog.setAttribute('aria-labelledby', 'drawer-title');
  const close = button('Close', onClose), heading = make('h2', { id: 'drawer-title', textContent: key }), gone = make('p', { className: 'drawer-gone' });
  gone.setAttribute('role', 'status');
  const names = make('div');
  names.append(make('p', { className: 'drawer-table', textContent: title }), heading);
  head.append(names, close);
  const list = make('ol', { className: 'changes' }), told = make('p', { className: 'drawer-told' });
  told.setAttribute('role', 'status');
  const progress = make('progress', { max: 1 }), stop = button('Stop', onStop), earlier = button('Earlier', onEarlier), ways = make('div', { className: 'drawer-ways' });
  progress.setAttribute('aria-label', 'History of this row');
  ways.append(told, progress, stop, earlier);
  const now = make('dl', { className: 'drawer-fields' }), drawn = fields.map((column) => drawField(now, column));
  dialog.append(head, gone, make('h3', { textContent: 'Now' }), now, make('h3', { textContent: 'History' }), list, ways);
  dialog.addEventListener('click', (event) => { if (event.target === dialog && isBeside(dialog, event)) dialog.close(); });
  const offer = (words, act) => head.after(button(words, act));
  return { dialog, gone, list, told, progress, stop, earlier, offer, fields: drawn };
}

/** A click beside the panel closes it; one on its own ground does not. */
const isBeside = (dialog, { clientX, clientY }) => {
  const { left, top, right, bottom } = dialog.getBoundingClientRect();
  return clientX < left || clientX > right || clientY < top || clientY > bottom;
};

function drawField(list, { field, label, type }) {
  const row = make('div'), meaning = make('dd'), words = make('span', { className: 'field-value' }), when = make('span', { className: 'field-since' });
  row.dataset.field = field;
  meaning.append(words, when);
  row.append(make('dt', { textContent: label }), meaning);
  list.append(row);
  if (type !== 'number' && type !== 'integer') return { field, value: words, when, line: null };
  const box = make('span', { className: 'field-course', hidden: true }), line = make('span', { className: 'field-line' }), range = make('span', { className: 'field-range' });
  drawTrend(line);
  box.append(line, range);
  meaning.append(box);
  return { field, value: words, when, line, range };
}

function button(words, act) {
  const made = make('button', { type: 'button', className: 'button', textContent: words });
  made.addEventListener('click', act);
  return made;
}

/** Draws a field over time; one that never changed has no line. */
export function paintCourse(line, range, steps, column) {
  const known = steps.v.filter((one) => one !== null), words = (one) => value(one, column);
  line.parentElement.hidden = new Set(known).size < 2;
  if (line.parentElement.hidden) return;
  line.querySelector('path').setAttribute('d', trendPath(thinned(steps, LINE_POINTS)));
  setText(range, `${words(Math.min(...known))} to ${withUnit(words(Math.max(...known)), column.unit)}, since ${moment(steps.t[0])}`);
}
