/* Looking back: the dialog that asks for a past time, and opens the page as a replay of it. */

import { day, zonedClock } from './format.mjs';
import { askForIncidents } from './incidents.mjs';
import { make } from './nodes.mjs';
import { fieldOf, readField, zoneLabel } from './zone.mjs';

const HOUR_MS = 3_600_000, DAY_MS = 86_400_000, INCIDENTS_MAX = 5, LEAD_MS = 30_000, AFTER_MS = 600_000;

/** The address of the same page as a replay; what was paused is not in it. */
export function replayUrl(href, at, until = null) {
  const url = new URL(href);
  url.searchParams.delete('paused');
  url.searchParams.set('replay', new Date(at).toISOString());
  if (until === null) url.searchParams.delete('until');
  else url.searchParams.set('until', new Date(until).toISOString());
  return url.href;
}

/** Listens for the button that opens the dialog, wherever it is drawn. */
export function watchLookBack(scope) {
  scope.document.addEventListener('click', ({ target }) => {
    if (target.closest?.('[data-look-back]')) open(scope);
  });
}

function open(scope) {
  const { document } = scope, now = Date.now();
  const go = (at, until) => scope.location.assign(replayUrl(scope.location.href, at, until));
  const dialog = make('dialog', { className: 'look-back' }), form = make('form', { method: 'dialog' });
  dialog.setAttribute('aria-labelledby', 'look-back-title');
  const label = make('label', { textContent: `Time (${zoneLabel(now)})` });
  const time = make('input', { type: 'datetime-local', step: '1', required: true, value: fieldOf(now - HOUR_MS), max: fieldOf(now) });
  label.append(time);
  const choices = make('div', { className: 'look-back-choices' });
  choices.append(choice('An hour ago', () => go(now - HOUR_MS)), choice('Yesterday, same time', () => go(now - DAY_MS)));
  const incidents = make('div', { className: 'look-back-incidents' });
  const ways = make('div', { className: 'look-back-ways' });
  ways.append(choice('Cancel', () => dialog.close()), make('button', { type: 'submit', className: 'primary', textContent: 'Replay' }));
  form.append(make('h2', { id: 'look-back-title', textContent: 'Look back' }),
    make('p', { textContent: 'Plays this page again as it was. It is marked as not live.' }), label, choices, incidents, ways);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    go(readField(time.value));
  });
  dialog.append(form);
  dialog.addEventListener('close', () => dialog.remove());
  dialog.addEventListener('click', (event) => { if (event.target === dialog) dialog.close(); });
  document.body.append(dialog);
  dialog.showModal();
  void offer(incidents, go, now);
}

async function offer(list, go, now) {
  const known = await askForIncidents({ since: now - 7 * DAY_MS, until: now });
  if (!known?.length) return;
  list.append(make('h3', { textContent: 'Incidents of the last week' }));
  for (const one of known.slice(-INCIDENTS_MAX).reverse()) {
    list.append(choice(`${day(one.began_at)}, ${zonedClock(one.began_at)} · ${one.severity}: ${one.text}`,
      () => go(one.began_at - LEAD_MS, Math.min(now, one.until + AFTER_MS))));
  }
}

function choice(words, act) {
  const made = make('button', { type: 'button', textContent: words });
  made.addEventListener('click', act);
  return made;
}
