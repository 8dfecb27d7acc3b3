/* The loader: a classic script, because a module script would run after the socket's component.
   Until the modules are there, each clientside function answers with a promise. */
(() => {
  const root = document.documentElement;
  let chosen = null;
  try { chosen = localStorage.getItem('headwater-theme'); } catch { /* storage may be forbidden: the system decides */ }
  root.dataset.theme = chosen || (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light');

  const prefix = document.querySelector('meta[name="headwater-modules"]').content;
  const modules = import(new URL(`${prefix}main.mjs`, document.baseURI).href);
  const later = (name) => (...given) => modules.then((main) => main.clientside[name](...given));
  const names = ['bind', 'grids', 'freshness', 'theme', 'filter', 'navigation'];
  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.headwater = Object.fromEntries(names.map((name) => [name, later(name)]));
})();
