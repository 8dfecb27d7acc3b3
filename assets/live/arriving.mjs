/* Arriving: a page that was asked for while the server does not answer. Dash has marked its link and written its address
   by then, and shows the former page: that is said, and the page is loaded once the server is back. */

import { make, setText } from './nodes.mjs';

const PATIENCE_MS = 1_500; // so long a page may take that is on its way
const BACK_MS = 1_000; // so long the link has to be up again: the first answer may be the last one

/** The page that the address and the navigation name while another is drawn: {asked, shown}; null where they agree. */
export function missing(document) {
  const asked = document.querySelector('#navigation [aria-current="page"]')?.textContent;
  const shown = document.querySelector('main [data-page] h1')?.textContent;
  return !asked || !shown || asked === shown ? null : { asked, shown };
}

export class Arriving {
  #since = null; // when the page began to be missing
  #wasCut = false;
  #upSince = null;
  #bar = null;

  /** `scope` is the window. */
  constructor(scope) { this.scope = scope; }

  /** To be called often; `now` is monotonic, `isCut` whether the server can be reached. */
  look(now, isCut) {
    const found = missing(this.scope.document);
    this.#since = found === null ? null : this.#since ?? now;
    this.#wasCut = found !== null && (this.#wasCut || isCut);
    this.#upSince = isCut ? null : this.#upSince ?? now;
    const isLate = this.#wasCut && now - this.#since >= PATIENCE_MS;
    this.#tell(isLate ? `${found.asked} opens as soon as the server answers. This is still ${found.shown}.` : '');
    if (isLate && this.#upSince !== null && now - this.#upSince >= BACK_MS) this.scope.location.reload();
  }

  #tell(words) {
    if (words === '' && this.#bar === null) return;
    const { document } = this.scope;
    this.#bar ??= document.body.appendChild(make('p', { className: 'arriving' }));
    this.#bar.setAttribute('role', 'status');
    setText(this.#bar, words);
  }
}
