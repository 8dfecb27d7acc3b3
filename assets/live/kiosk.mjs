/* Kiosk: a page on a wall. Nobody stands before it with a mouse, so it has no controls (style_kiosk.css), keeps the
   screen awake where the browser can, goes from page to page where the address asks for it, and comes back by itself
   from whatever ends it. What its address says wrongly stands on the screen. */

import { make } from './nodes.mjs';

const LEAST_S = 5, MOST_S = 86_400, AGAIN_MS = 30_000, LOOK_MS = 250, SCREEN_SHARE = 0.9;
const KEPT = ['kiosk', 'rotate', 'pages', 'zone'];

/** What an address asks for: {isKiosk, rotate_s, pages, problems}; `paths` are those of the pages that there are. */
export function kioskOf(search, paths) {
  const asked = new URLSearchParams(search), problems = [];
  for (const mode of ['kiosk', 'embed']) {
    if (asked.has(mode) && !['0', '1'].includes(asked.get(mode))) problems.push(`${mode}=${asked.get(mode)}: give ${mode}=1, or leave it out`);
  }
  const isKiosk = asked.get('kiosk') === '1', rotate = asked.get('rotate'), named = asked.get('pages');
  const rotate_s = /^\d+$/.test(rotate ?? '') ? Number(rotate) : NaN;
  if (rotate !== null && !(rotate_s >= LEAST_S && rotate_s <= MOST_S)) {
    problems.push(`rotate=${rotate}: give whole seconds from ${LEAST_S} to ${MOST_S}, for example rotate=30`);
  }
  if (rotate !== null && !isKiosk) problems.push('rotate: it is for a kiosk: add kiosk=1');
  if (named !== null && rotate === null) problems.push('pages: it says what to rotate through: add rotate=30');
  const pages = named === null ? paths.filter((path) => !path.endsWith('/explore')) : named.split(',');
  const unknown = pages.filter((path) => !paths.includes(path));
  if (unknown.length > 0) problems.push(`pages: there is no page ${unknown.join(', ')}; there are ${paths.join(', ')}`);
  return { isKiosk, rotate_s: problems.length === 0 && rotate !== null ? rotate_s : null, pages, problems };
}

/** The page after this one. */
export const nextPage = (pages, path) => pages[(pages.indexOf(path) + 1) % pages.length];

/** Acts as the address asks; `isUp()` whether the server can be reached, `hasEnded()` whether it will not be tried again. */
export function watchKiosk({ scope, isUp, hasEnded }) {
  const { document } = scope, links = () => [...document.querySelectorAll('#navigation a')];
  if (links().length === 0) return void scope.setTimeout(() => watchKiosk({ scope, isUp, hasEnded }), LOOK_MS);
  const { search } = scope.location, asked = kioskOf(search, links().map(({ pathname }) => pathname));
  if (asked.problems.length > 0) tell(document, asked.problems);
  if (!asked.isKiosk) return;
  keepAwake(scope);
  scope.setInterval(() => { if (hasEnded()) void comeBack(scope); }, AGAIN_MS);
  if (asked.rotate_s === null) return;
  const leave = () => rotate(scope, asked.pages, search);
  scope.setInterval(() => { if (isUp()) turn(document.querySelector('main'), leave); }, asked.rotate_s * 1_000);
}

/** Goes on: what of a page lies below the screen is shown first, a screen at a time, before the page is left. */
export function turn(main, leave) {
  if (main.scrollHeight - main.clientHeight - main.scrollTop > 1) { main.scrollTop += SCREEN_SHARE * main.clientHeight; return; }
  main.scrollTop = 0;
  leave();
}

/** Goes on as the browser's own way back does, which Dash follows: the socket stays, the address still says that it is
    a kiosk, and a history of years does not grow. */
function rotate(scope, pages, search) {
  const { location, history } = scope, next = nextPage(pages, location.pathname);
  if (next === location.pathname) return;
  const url = new URL(next, location.href), asked = new URLSearchParams(search);
  for (const name of KEPT) if (asked.has(name)) url.searchParams.set(name, asked.get(name));
  history.replaceState(history.state, '', url);
  scope.dispatchEvent(new PopStateEvent('popstate', { state: history.state }));
}

/** A browser lets the screen sleep again whenever the page was hidden. */
export function keepAwake(scope) {
  const { document, navigator } = scope, root = document.documentElement;
  const ask = async () => {
    if (document.hidden) return;
    try {
      const lock = await navigator.wakeLock.request('screen');
      root.dataset.awake = 'kept';
      lock.addEventListener('release', () => { root.dataset.awake = 'released'; });
    } catch { // no such thing, no secure page, or not allowed: the screen's own settings decide
      root.dataset.awake = 'not kept';
    }
  };
  document.addEventListener('visibilitychange', ask);
  void ask();
}

/** Loads the page anew once the server answers: without an answer the browser's own page would stay on the wall. */
async function comeBack({ fetch, location }) {
  const answers = await fetch('/healthz', { cache: 'no-store' }).then(({ ok }) => ok, () => false);
  if (answers) location.reload();
}

function tell(document, problems) {
  const place = make('div', { className: 'address-problems' });
  place.setAttribute('role', 'alert');
  place.append(...problems.map((words) => make('p', { textContent: `The address of this page: ${words}.` })));
  document.body.prepend(place);
}
