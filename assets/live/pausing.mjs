/* Pausing: the acts of a pause. Buttons, a key and the address begin and end it; a bar and the badges say since when
   and how far behind; painters and grids are given what is held instead of what is live. */

import { clock, number, zonedClock } from './format.mjs';
import { setData, setText } from './nodes.mjs';
import { Common, Freeze, Pause, behindInWords } from './pause.mjs';

const PARAMETER = 'paused', KEY = 'KeyP'; // with Alt: by its place on the keyboard, as Alt makes another letter of it
const count = (one) => number(one, 0);

export class Pausing {
  #pause = new Pause();
  #common = new Common();
  #path = null;

  /** `parts()` {element, channels, grid} of each live component; `time()` the server's, NaN where it is not known;
      `show(part)` paints one anew, `paintBadges()` all badges; `onChange()` is told when the page is paused or
      live again. */
  constructor({ scope, store, parts, time, show, paintBadges, onChange }) {
    Object.assign(this, { scope, store, parts, time, show, paintBadges, onChange, document: scope.document });
    this.document.addEventListener('click', ({ target }) => this.#click(target.closest?.('[data-pause]')));
    this.document.addEventListener('keydown', (event) => this.#key(event));
  }

  get isPaused() { return this.#pause.page !== null; }

  /** Whether anything is held, or the page as a whole is paused. */
  get isAny() { return this.isPaused || this.#pause.size > 0; }

  isHeld(element) { return this.#pause.isHeld(element); }

  /** The freeze that holds a component; undefined where it is live. */
  of = (element) => this.#pause.of(element);

  /** The same for a grid. */
  ofGrid = (uid) => this.#pause.ofGrid(uid);

  /** What a component's painter reads: the store, or what is held of it. */
  view(element) {
    return { get: (name) => (this.#pause.of(element) ?? this.store).get(name) };
  }

  /** How a component stands: {shown: live or paused, at: the time that it shows, taken: the time of now}. */
  standing(element) {
    const freeze = this.#pause.of(element), taken = this.#now();
    return freeze ? { shown: 'paused', at: freeze.since, taken } : { shown: 'live', at: taken, taken };
  }

  /** Whether somebody sees what a channel is now: nobody does where all the components that show it are held. */
  isSeen(showing) { return showing.length === 0 || showing.some(({ element }) => !this.isHeld(element)); }

  /** A frame of this channel was applied. */
  moved(name) {
    const fresh = this.#pause.moved(this.store.get(name));
    for (const part of fresh.length > 0 ? this.parts() : []) if (fresh.includes(part.element)) this.show(part);
  }

  /** A heartbeat says which channels are paused for everybody: what shows them is held, or live again. */
  everybody(told) {
    if (this.#isReplay) return;
    let freeze = null, words = '';
    for (const part of [...this.parts()]) {
      const { hold, release } = this.#common.next(part.element, part.channels, told);
      if (hold) {
        freeze ??= new Freeze(this.#now(), hold.by);
        this.#common.held(part.element, hold, freeze);
        this.#hold(part, freeze);
        words = `Paused for everybody by ${hold.by}`;
      } else if (release) {
        if (this.#pause.of(part.element) === release) this.#release(part);
        words = 'Resumed for everybody';
      }
    }
    if (words === '') return;
    setText(this.document.querySelector('[data-pause-told]'), words);
    this.paint();
  }

  /** The components of the page were looked for: another page begins as its address says, and what was drawn anew on
      a paused one is held as well. */
  rescanned() {
    const { pathname, search } = this.scope.location, parts = [...this.parts()];
    for (const element of this.#pause.components) if (!element.isConnected) this.#pause.release(element);
    if (pathname !== this.#path) {
      this.#path = pathname;
      if (this.isPaused) this.#resume(parts);
      if (!this.#isReplay && new URLSearchParams(search).get(PARAMETER) === '1') this.#begin(parts);
    } else if (this.isPaused) for (const part of parts) this.#hold(part, this.#pause.page);
    this.paint();
  }

  /** The components show something else: a page that is paused is held anew as it is now, the others are live. */
  rebound() {
    for (const element of this.#pause.components) this.#pause.release(element);
    if (this.isPaused) this.#pause.page = new Freeze(this.#now());
  }

  /** What the badge of a component says while it is held; null where it is live. `fresh` is its channel's freshness. */
  badge({ element, channels: [main] }, fresh) {
    const freeze = this.#pause.of(element);
    if (freeze === undefined) return null;
    const behind = this.#pause.behind(element), shown = freeze.get(main), since = clock(freeze.since);
    const isNarrow = element.classList.contains('tile');
    return {
      state: 'paused',
      text: isNarrow ? 'paused' : `paused ${since}`,
      more: `${freeze.by ? ` by ${freeze.by}` : ''}, ${count(behind.updates)} behind${behind.starts > 0 ? ', new start' : ''}`,
      detail: [
        `${freeze.inWords(clock)}: ${behindInWords(behind, count)}`,
        ...(shown?.createdAt ? [`Last event shown ${zonedClock(shown.createdAt)}`] : []),
        ...(fresh ? [`Its channel meanwhile: ${fresh.text}`] : []),
      ].join('\n'),
    };
  }

  /** What stands beside the navigation: the link is not called live where the page does not show it. */
  link(state, text) { return this.isPaused && ['live', 'quiet', 'connecting'].includes(state) ? ['paused', 'Paused'] : [state, text]; }

  /** Brings badges, bar and buttons up to date; what stays the same is left alone. */
  paint() {
    const bar = this.document.querySelector('[data-pause-bar]'), { page } = this.#pause;
    if (bar?.hidden === this.isPaused) bar.hidden = !this.isPaused;
    this.document.documentElement.toggleAttribute('data-paused', this.isPaused);
    setText(bar?.querySelector('[data-pause-since]'), page ? `Paused ${clock(page.since)}` : '');
    setText(bar?.querySelector('[data-pause-behind]'), page ? behindInWords(this.#pause.behind(), count) : '');
    for (const button of this.document.querySelectorAll('[data-pause]')) this.#label(button);
    this.paintBadges();
  }

  /** A badge was opened: a component that has no button in its head has one in its details. */
  offer(badge) {
    const element = badge.closest('[data-live]');
    if (!element || element.querySelector('[data-pause]')) return;
    const button = Object.assign(this.document.createElement('button'), { type: 'button', className: 'button', textContent: 'Pause' });
    button.setAttribute('aria-label', `Pause ${element.getAttribute('aria-label') ?? ''}`.trim());
    button.dataset.pause = '';
    badge.querySelector('.popover').append(button);
    this.#label(button);
  }

  /** A button says what it does next; its first words in the page are those of a pause. */
  #label(button) {
    const element = button.closest('[data-live]'), isOn = element ? this.isHeld(element) : this.isPaused;
    if (button.dataset.on === String(isOn)) return;
    const words = (text) => text.replace(/^(Pause|Resume)/, isOn ? 'Resume' : 'Pause');
    setData(button, 'on', String(isOn));
    setText(button, words(button.textContent));
    for (const name of ['title', 'aria-label']) if (button.hasAttribute(name)) button.setAttribute(name, words(button.getAttribute(name)));
  }

  #click(button) {
    if (!button) return;
    const element = button.closest('[data-live]');
    if (element) this.#toggle([...this.parts()].find((part) => part.element === element));
    else this.#togglePage();
    // the bar is gone with the button in it: the focus goes on where the pause began
    if (button.offsetParent === null) this.document.querySelector('.header [data-pause]')?.focus();
  }

  #key({ code, altKey, ctrlKey, metaKey, repeat, target }) {
    if (code !== KEY || !altKey || ctrlKey || metaKey || repeat || target.closest?.('input, textarea, select, [contenteditable]')) return;
    this.#togglePage();
  }

  get #isReplay() { return 'replay' in this.document.documentElement.dataset; }

  #togglePage() {
    if (this.#isReplay) return; // it has a pause of its own
    const parts = [...this.parts()];
    if (this.isPaused) this.#resume(parts);
    else this.#begin(parts);
    this.#tellAddress();
    this.#tell('the page', this.isPaused);
  }

  #toggle(part) {
    if (part === undefined) return;
    if (!this.isHeld(part.element)) this.#hold(part, new Freeze(this.#now()));
    else {
      this.#release(part);
      const { page } = this.#pause;
      if (page !== null && !this.#pause.components.some((one) => this.#pause.of(one) === page)) this.#end(); // nothing of it is left
    }
    this.#tell(part.element.getAttribute('aria-label') ?? 'component', this.isHeld(part.element));
  }

  #begin(parts) {
    this.#pause.page = new Freeze(this.#now());
    for (const part of parts) this.#hold(part, this.#pause.page);
    this.onChange();
  }

  #end() {
    this.#pause.page = null;
    this.#tellAddress();
    this.onChange();
  }

  /** Everything is live again, what was held by itself as well. */
  #resume(parts) {
    this.#pause.page = null;
    for (const part of parts) if (this.isHeld(part.element)) this.#release(part);
    this.onChange();
  }

  #hold(part, freeze) {
    if (this.isHeld(part.element)) return;
    this.#pause.hold(part.element, part, freeze, this.store);
    this.show(part); // what waited to be painted is part of what is held
  }

  #release(part) {
    this.#pause.release(part.element);
    this.show(part);
  }

  #now() {
    const at = this.time();
    return Number.isNaN(at) ? Date.now() : at;
  }

  /** A link to this page restores the pause. */
  #tellAddress() {
    const { history, location } = this.scope, address = new URL(location.href);
    if (this.isPaused) address.searchParams.set(PARAMETER, '1');
    else address.searchParams.delete(PARAMETER);
    if (address.href !== location.href) history.replaceState(history.state, '', address);
  }

  /** Read out once, and not again while the count grows. */
  #tell(what, isOn) {
    setText(this.document.querySelector('[data-pause-told]'), `${isOn ? 'Paused' : 'Resumed'}: ${what}`);
    this.paint();
  }
}
