/* Explore: the form of the Explore page. What it offers follows from what is chosen, and nothing is asked before the
   button is pressed; the question is then the page's address, and the server draws what belongs to it. */

import { Answer } from './answer.mjs';
import { make } from './nodes.mjs';
import { fieldOf, readField, zoneLabel } from './zone.mjs';

const PARAMETERS = ['of', 'show', 'field', 'q', 'by', 'where', 'is', 'window', 'from', 'to', 'as', 'refresh'];
const DECLARED = 'declared', BETWEEN = 'between', OWN = '';
const OF_A_FIELD = ['sum', 'mean', 'min', 'max', 'quantile'];

/** What a form offers, by what is chosen in it: {source, isDeclared, shows, fields, by, windows, forms, …}. */
export function offered({ sources, functions, windows }, { of, show }) {
  const source = sources.find(({ name }) => name === baseOf(of)) ?? null;
  if (source === null) return { source };
  const shows = [
    ...(source.kind === null ? [] : [[DECLARED, 'As declared, live']]),
    ...(source.counts ? functions.filter(([name]) => source.numbers.length > 0 || !OF_A_FIELD.includes(name)) : []),
  ];
  const chosen = shows.some(([name]) => name === show) ? show : shows[0][0], isDeclared = chosen === DECLARED;
  const isSeries = source.lines.length > 0;
  return {
    source, shows, show: chosen, isDeclared,
    fields: isDeclared ? source.lines : OF_A_FIELD.includes(chosen) ? source.numbers : [],
    by: isDeclared ? [] : [['', 'all together'], ...source.grouping],
    where: isDeclared || source.grouping.length === 0 ? [] : [['', 'all events'], ...source.grouping],
    hasRank: chosen === 'quantile',
    windows: isDeclared && !isSeries ? [] : [...(isDeclared ? [[OWN, 'its own span']] : []), ...windows.map(([name, label]) => [name, `last ${label}`]), [BETWEEN, 'from … to …']],
    forms: isDeclared ? [] : [['chart', 'Chart'], ['table', 'Table']],
  };
}

/** The channel of a part: `flights.board` of `flights.board:EWR`. */
export const baseOf = (of) => of.split(':')[0];

/** The address of a question: `chosen` {of, part, show, …} as the form has it, beside what else the address says. */
export function addressOf(href, told, chosen) {
  const url = new URL(href), what = offered(told, chosen), set = (name, text) => { if (text !== '' && text != null) url.searchParams.set(name, text); };
  for (const name of PARAMETERS) url.searchParams.delete(name);
  if (what.source === null) return url.href;
  set('of', what.source.part && chosen.part ? `${what.source.name}:${chosen.part}` : what.source.name);
  set('show', what.show);
  if (what.fields.length > 0) set('field', chosen.field);
  if (what.hasRank) set('q', chosen.q);
  if (what.by.length > 0) set('by', chosen.by);
  if (what.where.length > 0 && chosen.where) for (const name of ['where', 'is']) set(name, chosen[name]);
  const isBetween = what.windows.length > 0 && chosen.window === BETWEEN;
  if (isBetween) for (const name of ['from', 'to']) set(name, isoOf(chosen[name]));
  else if (what.windows.length > 0) set('window', chosen.window);
  if (what.forms.length > 0 && chosen.as !== 'chart') set('as', chosen.as);
  if ((!what.isDeclared || isBetween) && chosen.refresh !== '0') set('refresh', chosen.refresh);
  return url.href;
}

/** The time that the page shows: of a replay's address the replayed one. */
export function shownTime(href) {
  const at = Date.parse(new URL(href).searchParams.get('replay') ?? '');
  return Number.isNaN(at) ? Date.now() : at;
}

/** A field's local time as an address has it. */
function isoOf(text) {
  const at = readField(text);
  return Number.isNaN(at) ? text : new Date(at).toISOString().replace('.000Z', 'Z');
}

class Form {
  #controls = {};

  constructor(place, told, go) {
    Object.assign(this, { told, go });
    this.#build(place);
  }

  focus() { this.#controls.ask.focus(); }

  /** A chart below looks back otherwise now. */
  looked(name) {
    const { window: field } = this.#controls;
    if ([...field.options].some(({ value }) => value === name)) field.value = name;
  }

  get #chosen() {
    return Object.fromEntries(Object.entries(this.#controls).filter(([name]) => name !== 'ask').map(([name, { value }]) => [name, value]));
  }

  #build(place) {
    const { question, refresh, sources, problems } = this.told, form = make('form', { className: 'explore-form' }), now = shownTime(this.told.href());
    form.setAttribute('aria-label', 'Question');
    const field = (name, label, control) => {
      const made = make('label', { className: 'explore-field' });
      made.dataset.field = name;
      control.name = name;
      made.append(make('span', { textContent: label }), control);
      form.append(made);
      this.#controls[name] = control;
      return control;
    };
    const time = (at) => Object.assign(make('input', { type: 'datetime-local', step: '1' }), { value: fieldOf(at) });
    field('of', 'Channel or feed', make('select', { required: true })).append(make('option', { value: '', textContent: 'Choose …' }), ...groupsOf(sources));
    field('part', 'Part', make('input', { type: 'text' })).value = question.of.split(':').slice(1).join(':');
    field('show', 'Show', make('select'));
    field('field', 'Of', make('select'));
    field('q', 'Rank, 0 to 1', make('input', { type: 'number', min: '0', max: '1', step: 'any' })).value = question.q;
    field('by', 'Group by', make('select'));
    field('where', 'Only where', make('select'));
    field('is', 'Is', make('input', { type: 'text', autocomplete: 'off' })).value = question.is;
    field('window', 'Interval', make('select'));
    field('from', `From (${zoneLabel(now)})`, time(question.from ?? now - 3_600_000));
    field('to', 'To', time(question.to ?? now));
    field('as', 'As', make('select'));
    field('refresh', 'Refresh', make('select')).append(...refresh.map(([value, textContent]) => make('option', { value, textContent })));
    this.#controls.of.value = baseOf(question.of);
    this.#controls.refresh.value = question.refresh;
    this.#arrange({ ...question, window: question.from === null ? question.window : BETWEEN });
    const ask = make('button', { type: 'submit', className: 'explore-ask', textContent: 'Show' });
    this.#controls.ask = ask;
    form.append(ask);
    form.addEventListener('change', ({ target }) => { if (['of', 'show', 'where', 'window'].includes(target.name)) this.#arrange(this.#chosen); });
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.go(addressOf(this.told.href(), this.told, this.#chosen));
    });
    place.replaceChildren(...troubles(problems), form);
  }

  /** Offers what belongs to what is chosen; what was chosen before stays where it is still offered. */
  #arrange(chosen) {
    const what = offered(this.told, { of: this.#controls.of.value, show: chosen.show }), is = what.source !== null;
    if (is) {
      choices(this.#controls.show, what.shows, what.show);
      choices(this.#controls.field, what.fields, chosen.field);
      choices(this.#controls.by, what.by, chosen.by);
      choices(this.#controls.where, what.where, chosen.where);
      choices(this.#controls.window, what.windows, chosen.window || (what.isDeclared ? OWN : this.told.window));
      choices(this.#controls.as, what.forms, chosen.as);
    }
    const isBetween = is && what.windows.length > 0 && this.#controls.window.value === BETWEEN;
    const seen = {
      part: is && Boolean(what.source.part), show: is && what.shows.length > 1, field: is && what.fields.length > 0, q: is && what.hasRank,
      by: is && what.by.length > 1, where: is && what.where.length > 1, is: is && this.#controls.where.value !== '', window: is && what.windows.length > 0, from: isBetween, to: isBetween,
      as: is && what.forms.length > 0, refresh: is && (!what.isDeclared || isBetween),
    };
    for (const [name, isSeen] of Object.entries(seen)) {
      const control = this.#controls[name];
      control.closest('label').hidden = !isSeen;
      control.disabled = !isSeen;
    }
    this.#controls.part.required = seen.part;
    this.#controls.is.required = seen.is;
    this.#controls.from.required = isBetween;
  }
}

function choices(select, offers, chosen) {
  select.replaceChildren(...offers.map(([value, textContent]) => make('option', { value, textContent })));
  select.value = offers.some(([value]) => value === chosen) ? chosen : offers[0]?.[0] ?? '';
}

function groupsOf(sources) {
  return [...new Set(sources.map(({ feed }) => feed))].map((feed) => {
    const group = make('optgroup', { label: feed });
    group.append(...sources.filter((one) => one.feed === feed).map(({ name, title }) => make('option', { value: name, textContent: title })));
    return group;
  });
}

function troubles(problems) {
  if (problems.length === 0) return [];
  const alert = make('div', { className: 'explore-problems' }), list = make('ul');
  alert.setAttribute('role', 'alert');
  list.append(...problems.map((textContent) => make('li', { textContent })));
  alert.append(list);
  return [alert];
}

/** Draws forms and answers wherever the page holds them; returns what has to be told of a change of colours. */
export function watchExplore({ scope, palette, isHeld }) {
  const { document, history, location } = scope, answers = new Map(); // section → Answer
  let form = null, wasAsked = false;
  const go = (href) => {
    wasAsked = true;
    if (href === location.href) return void [...answers.values()].forEach((answer) => answer.ask());
    history.pushState({}, '', href);
    scope.dispatchEvent(new scope.CustomEvent('_dashprivate_pushstate')); // as Dash's own links do
  };
  const look = () => {
    for (const [section, answer] of answers) {
      if (section.isConnected) continue;
      answer.end();
      answers.delete(section);
    }
    for (const place of document.querySelectorAll('.explore[data-explore]:empty')) {
      if (place.closest('#early')) continue;
      form = new Form(place, { ...JSON.parse(place.dataset.explore), href: () => location.href }, go);
      if (wasAsked) form.focus();
      wasAsked = false;
    }
    for (const section of document.querySelectorAll('#react-entry-point [data-answer]')) {
      if (!answers.has(section)) answers.set(section, new Answer(section, { scope, palette, isHeld }));
    }
  };
  document.addEventListener('click', ({ target }) => {
    if (!form || !target.closest?.('.lookback')) return;
    setTimeout(() => form.looked(new URLSearchParams(location.search).get('window') ?? OWN), 0);
  });
  return { look, repaint: () => [...answers.values()].forEach((answer) => answer.repaint()) };
}
