/* The early view: the page as plain HTML in its document, filled with values while Dash's bundles still load. Its
   values come over HTTP, a few times a second, as the socket belongs to a component that Dash has yet to make. It
   leaves when Dash's own page shows its values, so that nobody sees the change. */

import { chosenIn, chosenSpec } from './choice.mjs';
import { setText } from './nodes.mjs';
import { OWN, Painters } from './painters.mjs';
import { askForChanges } from './poll.mjs';
import { Store } from './store.mjs';

const EVERY_MS = 250, AT_MOST_MS = 20_000; // should Dash never draw the page, its own message shall be seen

/** What can be painted before Dash is there, as {element, spec}: what our painters draw, but charts, which need a bundle; with
    what the address `search` chooses. */
export function paintable(view, search = '') {
  const chosen = (spec) => chosenSpec(spec, spec.choice ? chosenIn(search, spec.choice.field) : '');
  const all = [...view.querySelectorAll('[data-early]')].map((element) => ({ element, spec: chosen(JSON.parse(element.dataset.early)) }));
  return all.filter(({ spec }) => ['tile', 'log'].includes(spec.paint) || spec.paint in OWN);
}

/** The channels that these show. */
export const channelsOf = (parts) => [...new Set(parts.flatMap(({ spec }) => [spec.channel, ...(spec.also ?? []), spec.trend?.channel ?? spec.channel]))];

/** The jobs that paint these from a store. */
function jobsOf(parts, store) {
  const painters = new Painters({ view: () => store, palette: () => null, incidents: () => [], now: () => performance.now(), time: () => Date.now() });
  return parts.map(({ element, spec }) => ({ spec, job: painters.jobOf(element, spec) }));
}

/** Whether Dash has drawn the page into `root`, and with values where it has tiles. */
export function isDrawn(root) {
  const tiles = [...root.querySelectorAll('[data-value]')];
  return root.querySelector('[data-page]') !== null && (tiles.length === 0 || tiles.some(({ textContent }) => textContent !== ''));
}

/** Writes what is chosen into the list of the page's choice, as Dash's own page will have it. */
function showChosen(view, search) {
  for (const list of view.querySelectorAll('[data-choose]')) {
    const chosen = chosenIn(search, JSON.parse(list.dataset.choose).field);
    if (chosen !== '') setText(list.firstChild, chosen);
  }
}

/** Marks the link of the open page. */
function markOpen(view, pathname) {
  for (const link of view.querySelectorAll('.nav-link')) if (new URL(link.href).pathname === pathname) link.setAttribute('aria-current', 'page');
}

/** Leaves as soon as Dash's page is drawn; `done` is told. */
function leaveWhenDrawn(view, root, done) {
  const leave = () => {
    observer.disconnect();
    view.remove();
    done();
  };
  const observer = new MutationObserver(() => { if (isDrawn(root)) leave(); });
  observer.observe(root, { subtree: true, childList: true, characterData: true });
  setTimeout(leave, AT_MOST_MS);
}

/** Fills the early view until it leaves. */
async function fill(view, root) {
  const store = new Store(), parts = paintable(view, location.search), names = channelsOf(parts), jobs = jobsOf(parts, store);
  let isOver = false;
  leaveWhenDrawn(view, root, () => { isOver = true; });
  store.want(names, performance.now());
  while (!isOver && names.length > 0) {
    const { frames = [] } = await askForChanges({ channels: store.positions(), wait_s: 0, heartbeat: false });
    if (isOver) return;
    for (const frame of frames) store.apply(frame);
    for (const { spec, job } of jobs) if (store.get(spec.channel)?.state) job.paint();
    await new Promise((next) => { setTimeout(next, EVERY_MS); });
  }
}

/* a page that replays a past time must not be filled with what is now */
const isReplay = () => new URLSearchParams(location.search).has('replay');
const view = document.getElementById('early'), root = document.getElementById('react-entry-point');
if (view) {
  showChosen(view, location.search);
  markOpen(view, location.pathname);
}
if (view && root && isReplay()) leaveWhenDrawn(view, root, () => {});
else if (view && root) void fill(view, root);
