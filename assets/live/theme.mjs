/* The theme: light or dark by the system, until somebody chooses; the choice is remembered. The loader sets it first,
   before anything is painted; this keeps it. */

const KEY = 'headwater-theme';

export class Theme {
  /** `onChange` is called after each change: what is drawn from colours has to be drawn anew. */
  constructor(scope, onChange) {
    Object.assign(this, { scope, root: scope.document.documentElement, onChange });
    new scope.MutationObserver(onChange).observe(this.root, { attributeFilter: ['data-theme'] });
    scope.matchMedia('(prefers-color-scheme: dark)').addEventListener('change', ({ matches }) => {
      if (!this.#chosen()) this.root.dataset.theme = matches ? 'dark' : 'light';
    });
  }

  /** Goes to the other theme and remembers it; where storage is forbidden the choice holds until the page is left. */
  toggle() {
    this.root.dataset.theme = this.root.dataset.theme === 'dark' ? 'light' : 'dark';
    try { this.scope.localStorage.setItem(KEY, this.root.dataset.theme); } catch { /* see above */ }
  }

  #chosen() {
    try { return this.scope.localStorage.getItem(KEY); } catch { return null; }
  }
}
