/* Choosing: the acts of a choice. The page's list is filled with what its reader may see, the choice is in the address,
   a link and a reload restore it, back and forward go through it, and every component says what it shows of it. */

import { chosenIn, chosenSpec, isChosen, valuesOf } from './choice.mjs';
import { make, setText } from './nodes.mjs';

export class Choosing {
  #specs = new WeakMap(); // element → {text, value, spec}
  #grids = new Map(); // uid of a grid → the element of its table
  #list = null; // the list on the page
  #told = null; // what it chooses by: {field, noun, all, channel}
  #known = null; // the values that may be seen, null as long as nobody knows
  #path = null;
  value = '';

  /** `scope` is the window; `onChange()` is told of another choice; `rowsOf(field)` gives the values of a field that the
      page's own data has, where no channel is kept in parts. */
  constructor({ scope, onChange, rowsOf }) {
    Object.assign(this, { scope, onChange, rowsOf });
    scope.document.addEventListener('change', ({ target }) => { if (target === this.#list) this.choose(target.value); });
    for (const event of ['pointerdown', 'focusin']) {
      scope.document.addEventListener(event, ({ target }) => { if (target === this.#list) void this.#learn(); });
    }
    scope.addEventListener('popstate', () => { if (this.#read()) this.onChange(); });
  }

  /** What a component shows now. */
  specOf(element) {
    const text = element.dataset.live, known = this.#specs.get(element);
    if (known?.text === text && known.value === this.value) return known.spec;
    const spec = chosenSpec(JSON.parse(text), this.value, this.#told?.all);
    this.#specs.set(element, { text, value: this.value, spec });
    return spec;
  }

  /** What the table of a grid shows; `uid` is the grid's. */
  ofGrid({ uid, channel }) {
    if (!this.#grids.get(uid)?.isConnected) {
      for (const element of this.scope.document.querySelectorAll('.table[data-live]')) this.#grids.set(this.specOf(element).grid, element);
    }
    const element = this.#grids.get(uid);
    return element?.isConnected ? this.specOf(element) : { channel, only: null };
  }

  /** Which rows or entries a component shows. */
  matches(element) { return (row) => isChosen(this.specOf(element).only, row); }

  /** Whether a grid shows a row. */
  isShown(id, row) { return isChosen(this.ofGrid(id).only, row); }

  /** The components of the page were looked for, or are about to be; returns whether the choice has changed by it. */
  rescanned() {
    const { document } = this.scope, list = document.querySelector('[data-choose]:not(#early *)');
    if (list === this.#list && this.scope.location.pathname === this.#path) return false;
    this.#path = this.scope.location.pathname;
    if (list !== this.#list) this.#known = null;
    this.#list = list;
    this.#told = list && JSON.parse(list.dataset.choose);
    const changed = this.#read();
    if (list) void this.#learn();
    return changed;
  }

  /** Whether the open page may show a row's value of the field alone: {noun, value}; null where it may not. */
  offer(spec, row) {
    const value = spec.choice && this.#told ? row[spec.choice.field] : undefined;
    return value === undefined || value === null || String(value) === this.value ? null : { noun: this.#told.noun, value: String(value) };
  }

  /** Shows one value alone; all with ''. */
  choose(value) {
    if (this.#told === null || value === this.value) return;
    const { location, history } = this.scope, address = new URL(location.href);
    if (value === '') address.searchParams.delete(this.#told.field);
    else address.searchParams.set(this.#told.field, value);
    history.pushState(history.state, '', address);
    this.#read();
    this.onChange();
  }

  /** Says on each component what it shows of the choice. */
  tell(parts) {
    for (const { element } of parts) {
      const { told, follows } = this.specOf(element), head = element.querySelector('.block-head');
      let chip = head?.querySelector('.choice-told');
      if (!chip && told !== null && head) {
        chip = make('span', { className: 'choice-told' });
        chip.append(make('span', { className: 'choice-noun' }), ' ', make('span'));
        head.querySelector('.block-title').after(chip);
      }
      if (!chip) continue;
      chip.hidden = told === null;
      (told ?? ['', '']).forEach((words, i) => setText(chip.children[i], words));
      chip.title = follows === false ? 'This component cannot follow the choice: it shows everything' : '';
      chip.toggleAttribute('data-all', follows === false);
    }
  }

  #read() {
    const value = this.#told === null ? '' : chosenIn(this.scope.location.search, this.#told.field);
    const changed = value !== this.value;
    this.value = value;
    this.#draw();
    return changed;
  }

  async #learn() {
    const list = this.#list, { channel } = this.#told;
    const known = channel === null ? [...this.rowsOf(this.#told.field)] : await this.#ask(channel);
    if (known === null || list !== this.#list) return;
    this.#known = known;
    if (this.#told.must && this.value === '' && known.length > 0) this.#take(valuesOf(known, '')[0]);
    else this.#draw();
  }

  /** Who may not see everything is shown the first value that he may see. */
  #take(value) {
    const { location, history } = this.scope, address = new URL(location.href);
    address.searchParams.set(this.#told.field, value);
    history.replaceState(history.state, '', address);
    this.#read();
    this.onChange();
  }

  /** null where nobody answers: what was known stays. */
  async #ask(channel) {
    const answer = await this.scope.fetch(`/api/channels/${encodeURIComponent(channel)}/parts`).catch(() => null);
    if (answer?.status === 404) return [];
    return answer?.ok ? (await answer.json()).parts : null;
  }

  #draw() {
    if (this.#list === null) return;
    const { all, noun, must } = this.#told, isUnknown = this.value !== '' && this.#known !== null && (this.#known.length > 0 || this.#told.channel !== null) && !this.#known.includes(this.value);
    const wanted = [...(must && this.value !== '' ? [] : [['', must ? `Choose ${noun}` : all]]), ...valuesOf(this.#known ?? [], this.value).map((one) => [one, one])];
    const told = JSON.stringify(wanted);
    if (this.#list.dataset.drawn !== told) {
      this.#list.replaceChildren(...wanted.map(([value, textContent]) => make('option', { value, textContent })));
      this.#list.dataset.drawn = told;
    }
    this.#list.value = this.value;
    const note = this.#list.closest('.chooser').querySelector('[data-choice-note]');
    setText(note, isUnknown ? `There is no ${noun} ${this.value} that you may see: choose another one${must ? '' : `, or ${all.toLowerCase()}`}.` : '');
  }
}
