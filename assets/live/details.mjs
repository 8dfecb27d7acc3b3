/* Details: what an open badge tells of this very moment beside its facts: the window with its bounds, the position,
   and the age of what is shown by stage. A closed badge costs nothing. */

import { duration, exactClock, number } from './format.mjs';
import { setText } from './nodes.mjs';
import { groupOf } from './painters.mjs';
import { comparedInWords, restatedOf, windowInWords, windowOf } from './windows.mjs';

const COPIED_MS = 2_000;

/** The stages of the newest event of a channel's last change: [{stage, at, step_ms}], times of the server's clock;
    those that are not known are left out. `here(monotonic)` is the server's time of a moment on this page. */
export function stagesOf(arrived, group, here) {
  const { times = {}, received, painted = {} } = arrived ?? {};
  const moment = (at) => (typeof at === 'number' ? here(at) : undefined);
  const known = Object.entries({
    created: times.created?.[1], ingested: times.ingested?.[1], processed: times.processed, sent: times.sent,
    received: moment(received), painted: moment(painted[group]),
  }).filter(([, at]) => Number.isFinite(at));
  return known.map(([stage, at], i) => ({ stage, at, step_ms: i === 0 ? null : at - known[i - 1][1] }));
}

const LONG_MS = 10_000;
const milliseconds = (ms) => `${ms < 0 ? '' : '+'}${Math.abs(ms) < LONG_MS ? `${number(ms, Math.abs(ms) < 10 ? 1 : 0)} ms` : duration(ms)}`;

export class Details {
  /** `view(element)` gives the channels as a component shows them, `specOf(element)` what it shows of them. */
  constructor({ view, specOf, clock, now }) { Object.assign(this, { view, specOf, clock, now }); }

  /** To be called several times a second. */
  tick(document) { for (const badge of document.querySelectorAll('details.freshness[open]')) this.fill(badge); }

  /** Brings an open badge up to date; nodes stay, so that a reader's selection and focus do. */
  fill(badge) {
    const element = badge.closest('[data-live]'), spec = element && this.specOf(element), popover = badge.querySelector('.popover');
    const channel = spec && this.view(element).get(spec.channel);
    if (!channel || popover === null) return;
    const moment = popover.querySelector('.moment') ?? drawMoment(popover);
    const now = this.clock.at(this.now()), found = windowOf(spec, channel.state);
    say(moment, 'window', found && windowInWords(found, spec, now));
    const trend = spec.trend && this.view(element).get(spec.trend.channel)?.state;
    say(moment, 'compared', trend && comparedInWords(trend.series, spec.trend));
    say(moment, 'restated', restatedOf(spec, channel.state));
    const { position } = channel;
    say(moment, 'position', position && `${spec.channel} ${position.epoch}:${position.seq}`);
    this.#stages(moment, stagesOf(channel.arrived, groupOf(spec), (at) => this.clock.at(at)), now);
  }

  #stages(moment, stages, now) {
    const [created] = stages, last = stages[stages.length - 1], whole = stages.length > 1 ? milliseconds(last.at - created.at) : '';
    const onTheWay = whole && ` old, of which ${whole.slice(1)} from created to ${last.stage}`;
    say(moment, 'age', created && `${duration(now - created.at)}${onTheWay}; times here within ${milliseconds(this.clock.best.trip / 2).slice(1)}`);
    for (const row of moment.querySelectorAll('.stages tr')) {
      const stage = stages.find((one) => one.stage === row.dataset.stage);
      setText(row.children[1], stage ? exactClock(stage.at) : 'not known');
      setText(row.children[2], stage?.step_ms != null ? milliseconds(stage.step_ms) : '');
    }
  }
}

const TERMS = { window: 'Window now', compared: 'Compared', restated: 'Restated', position: 'Position', age: 'Newest event' };
const STAGES = ['created', 'ingested', 'processed', 'sent', 'received', 'painted'];

/** Writes a term's words; without words its row is not there. */
function say(moment, name, words) {
  const row = moment.querySelector(`[data-term="${name}"]`);
  row.hidden = !words;
  setText(row.querySelector('[data-words]'), words || '');
}

function drawMoment(popover) {
  const moment = make('div', { className: 'moment' }), list = make('dl', { className: 'facts-now' });
  for (const [name, term] of Object.entries(TERMS)) {
    const row = make('div'), meaning = make('dd'), words = make('span');
    row.dataset.term = name;
    words.dataset.words = '';
    meaning.append(words);
    if (name === 'position') meaning.append(' ', copyButton(words));
    row.append(make('dt', { textContent: term }), meaning);
    list.append(row);
  }
  moment.append(list, drawStages());
  popover.insertBefore(moment, popover.querySelector('.facts'));
  return moment;
}

function drawStages() {
  const table = make('table', { className: 'stages' });
  table.append(make('caption', { className: 'zoned', textContent: 'Its way, stage by stage' }));
  for (const stage of STAGES) {
    const row = make('tr'), head = make('th', { textContent: stage, scope: 'row' });
    row.dataset.stage = stage;
    row.append(head, make('td'), make('td'));
    table.append(row);
  }
  return table;
}

function copyButton(words) {
  const button = make('button', { type: 'button', className: 'copy', textContent: 'Copy' });
  button.setAttribute('aria-label', 'Copy the position');
  button.addEventListener('click', async () => {
    setText(button, (await copied(words)) ? 'Copied' : 'Selected');
    setTimeout(() => setText(button, 'Copy'), COPIED_MS);
  });
  return button;
}

/** Whether the words are on the clipboard; where the browser does not allow it they are selected. */
async function copied(words) {
  try {
    await navigator.clipboard.writeText(words.textContent);
    return true;
  } catch {
    getSelection().selectAllChildren(words);
    return document.execCommand('copy');
  }
}

const make = (tag, properties = {}) => Object.assign(document.createElement(tag), properties);
