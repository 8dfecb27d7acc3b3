/* Open badges close again: by Escape, with the focus back on the badge, or by a click elsewhere. */

/** Listens for what closes an open badge, wherever on the page it is. */
export function closeBadges(document) {
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
