/* The painter of a log: newest entry on top, one node for each entry id, nodes of unchanged entries left alone. */

import { isChosen } from './choice.mjs';
import { value as inWords, withUnit } from './format.mjs';
import { zoneName } from './zone.mjs';

const FIRST = 50; // the rest is drawn once the reader scrolls: each new entry moves all that are there
const drawn = new WeakMap(); // list → Map of entry id → {entry, zone, node}

/** The newest `most` entries, newest first. */
export const shownEntries = (entries, most) => entries.slice(-most).reverse();

/** Paints a log's section from the store; false where its list is not there yet. */
export function paintLog(section, spec, store) {
  const list = section.querySelector('[data-entries]');
  if (list === null) return false;
  if (!drawn.has(list)) list.parentElement.addEventListener('scroll', () => paintLog(section, spec, store), { passive: true });
  const most = list.parentElement.scrollTop > 0 ? spec.entries_max : Math.min(FIRST, spec.entries_max);
  const all = store.get(spec.channel)?.state?.entries ?? [];
  const entries = shownEntries(spec.only ? all.filter((entry) => isChosen(spec.only, entry)) : all, most);
  const former = drawn.get(list) ?? new Map(), now = new Map(), zone = zoneName();
  for (const entry of entries) {
    const known = former.get(entry.id);
    now.set(entry.id, known?.entry === entry && known.zone === zone ? known : { entry, zone, node: drawEntry(entry, spec.columns) });
  }
  for (const [id, { node }] of former) if (now.get(id)?.node !== node) node.remove();
  let place = list.firstChild;
  for (const { node } of now.values()) {
    if (node === place) place = place.nextSibling;
    else list.insertBefore(node, place);
  }
  drawn.set(list, now);
  section.toggleAttribute('data-empty', entries.length === 0);
  return true;
}

function drawEntry(entry, columns) {
  const item = document.createElement('li');
  item.dataset.id = entry.id;
  for (const column of columns) {
    const cell = document.createElement('span');
    cell.dataset.field = column.field;
    cell.dataset.type = column.type;
    cell.title = column.label;
    cell.textContent = withUnit(inWords(entry[column.field], column), column.unit);
    item.append(cell, ' ');
  }
  return item;
}
