/* Readout: what is under the pointer, or under the place that arrow keys move, in a line of words below a drawing. For eyes
   alone: who listens has the same words in the list or table itself. */

import { make, setText } from './nodes.mjs';

const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

/** The place that a key leads to from `at` {y, x}, within a drawing of so many rows and columns; null for other keys. */
export function stepFrom(at, key, height, width) {
  const edges = { Home: [0, -width], End: [0, width] }, step = STEPS[key] ?? edges[key];
  if (step === undefined || height === 0 || width === 0) return null;
  if (at === null) return { y: 0, x: key === 'End' || key === 'ArrowLeft' ? width - 1 : 0 };
  const within = (one, most) => Math.min(most - 1, Math.max(0, one));
  return { y: within(at.y + step[0], height), x: within(at.x + step[1], width) };
}

/** Makes `frame` a drawing that is pointed at. `nodeAt({y, x})` is a cell of it, `size()` [rows, columns]; a cell says what
    it is by its `data-said`. Returns {line, again}: the line of words, and a function that says them anew. */
export function readout(frame, { nodeAt, size, rest = () => '' }) {
  const line = make('p', { className: 'readout' });
  let at = null, shown = null;
  line.setAttribute('aria-hidden', 'true');
  const show = (node) => {
    shown?.removeAttribute('data-at');
    shown = node ?? null;
    shown?.setAttribute('data-at', '');
    setText(line, shown?.dataset.said ?? rest());
  };
  const leave = () => { at = null; show(null); };
  frame.addEventListener('pointerover', ({ target }) => { if (at === null) show(target.closest?.('[data-said]')); });
  frame.addEventListener('pointerleave', () => { if (at === null) show(null); });
  frame.addEventListener('blur', leave);
  frame.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') return leave();
    const next = stepFrom(at, event.key, ...size());
    if (next === null || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    at = next;
    show(nodeAt(at));
    shown?.scrollIntoView?.({ block: 'nearest', inline: 'nearest' });
  });
  return { line, again: () => show(at !== null ? nodeAt(at) : shown?.isConnected ? shown : null) };
}
