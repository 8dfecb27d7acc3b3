/* Badges: an open one shows its facts, and closes by Escape, with the focus back on it, or by a click elsewhere. */

import { setData, setText } from './nodes.mjs';

const CONNECTING = { state: 'connecting', text: 'connecting', detail: '' };

/** Shows on a component and its badge how fresh it is; what stays the same is left alone. `more` is the part of the
    text that is left out where there is no room for it. */
export function paintBadge(element, { state, text, more = '', detail } = CONNECTING) {
  const badge = element.querySelector('.freshness');
  for (const node of [element, badge]) setData(node, 'state', state);
  const words = badge?.querySelector('.freshness-text');
  setText(words, text);
  setData(words, 'more', more);
  setText(badge?.querySelector('.freshness-now'), detail);
}

/** Draws the facts of a badge, as terms and words; text stays text. They are drawn once, when it is first opened. */
export function drawFacts(badge) {
  const list = badge.querySelector('.facts');
  if (list === null || list.firstChild !== null || !badge.dataset.facts) return;
  for (const [term, words] of JSON.parse(badge.dataset.facts)) {
    const row = document.createElement('div'), name = document.createElement('dt'), meaning = document.createElement('dd');
    name.textContent = term;
    meaning.textContent = words;
    row.append(name, meaning);
    list.append(row);
  }
}

const EDGE_PX = 8;

/** Moves what has opened as far as it would stand out of the screen at its left or right. */
export function keepOnScreen(popover, width) {
  popover.style.translate = '';
  const { left, right } = popover.getBoundingClientRect();
  const by = left < EDGE_PX ? EDGE_PX - left : Math.min(0, width - EDGE_PX - right);
  if (by !== 0) popover.style.translate = `${Math.round(by)}px`;
}

/** Listens for badges that open or close, wherever on the page they are; `onOpen` is told of each that opens. */
export function watchBadges(document, onOpen) {
  document.addEventListener('toggle', ({ target }) => {
    const popover = target.matches?.('details[open]') ? target.querySelector('.popover') : null;
    if (popover) keepOnScreen(popover, document.documentElement.clientWidth);
    if (!target.matches?.('details.freshness[open]')) return;
    drawFacts(target);
    onOpen(target);
  }, true); // it does not bubble, but it is captured
  closeBadges(document);
}

/** Listens for what closes an open badge. */
function closeBadges(document) {
  const open = () => [...document.querySelectorAll('details.freshness[open]')];
  document.addEventListener('click', ({ target }) => {
    for (const badge of open()) if (!badge.contains(target)) badge.open = false;
  });
  document.addEventListener('keydown', ({ key }) => {
    if (key !== 'Escape') return;
    for (const badge of open()) {
      badge.open = false;
      badge.querySelector('summary').focus();
    }
  });
}
