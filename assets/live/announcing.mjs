/* Announcing: what of the banner a screen reader says. Each trouble once, with its cause, and once that it is over; not
   the figures that grow meanwhile, and nothing twice within a few seconds where a state goes to and fro. */

import { setText } from './nodes.mjs';

const CALM_MS = 10_000;
const OVER = 'Live again.';

export class Announcing {
  #said = '';
  #at = -Infinity;
  #waits = null;

  /** `say(words)` hands over what is to be read out. */
  constructor({ say, now, later }) { Object.assign(this, { say, now, later }); }

  /** The banner is this now: {state, said}. */
  tell({ state, said = '' }) {
    const words = said !== '' ? said : this.#said !== '' && ['live', 'quiet'].includes(state) ? OVER : '';
    const isWaiting = this.#waits !== null;
    this.#waits = words;
    if (isWaiting) return;
    const rest = this.#at + CALM_MS - this.now();
    if (rest <= 0) this.#settle();
    else this.later(() => this.#settle(), rest);
  }

  #settle() {
    const words = this.#waits;
    this.#waits = null;
    if (words === '' || words === this.#said || (words === OVER && this.#said === '')) return;
    this.#said = words === OVER ? '' : words;
    this.#at = this.now();
    this.say(words);
  }
}

/** Announces on a page: into the one status beside the banner. */
export function announcer(document, now) {
  const say = (words) => setText([...document.querySelectorAll('[data-banner-told]')].at(-1), words); // not the early view's
  return new Announcing({ say, now, later: (act, ms) => setTimeout(act, ms) });
}
