/* The loader: a classic script, because a module script would run after the socket's component; in the document's head,
   so that the early view is seen in the theme that was chosen.
   Until the modules are there, each clientside function answers with a promise. Where they cannot be had (another
   release is being deployed, the network failed) the page has nothing to lose: it loads itself anew, at once and then
   every half minute or so, until it is whole. */
(() => {
  const root = document.documentElement;
  let chosen = null;
  try { chosen = localStorage.getItem('headwater-theme'); } catch { /* storage may be forbidden: the system decides */ }
  root.dataset.theme = chosen || (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light');

  const asked = new URLSearchParams(location.search);
  for (const mode of ['kiosk', 'embed']) if (asked.get(mode) === '1') root.dataset[mode] = ''; // without a header from the first frame on

  const prefix = document.querySelector('meta[name="headwater-modules"]').content;
  const load = (name) => import(new URL(`${prefix}${name}`, document.baseURI).href);
  const modules = load('main.mjs');
  // an early view that nobody would fill and take away must not cover the page
  modules.then(() => load('early.mjs')).catch(() => document.getElementById('early')?.remove());
  modules.catch((error) => {
    console.error('headwater: the modules cannot be loaded', error);
    const again = () => location.reload();
    try {
      const former = Number(sessionStorage.getItem('headwater-retried') ?? 0);
      sessionStorage.setItem('headwater-retried', String(Date.now()));
      if (Date.now() - former > 300_000) return again();
    } catch { /* without storage a first time cannot be told: wait */ }
    return setTimeout(again, 20_000 + 20_000 * Math.random());
  });
  const later = (name) => (...given) => modules.then((main) => main.clientside[name](...given));
  const names = ['bind', 'freshness', 'theme', 'filter', 'navigation'];
  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.headwater = Object.fromEntries(names.map((name) => [name, later(name)]));
})();
