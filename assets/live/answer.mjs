/* Answer: one answer from the archive on the Explore page: asks for it, says how far it is and as of when it is, draws it
   as a chart or a table, asks again by a button or now and then, and gives it away as files. */

import { paintChart } from './chart.mjs';
import { clock, moment, number, value, withUnit } from './format.mjs';
import { make, setData, setText } from './nodes.mjs';
import { picture } from './picture.mjs';
import { Pieces, shareOf } from './pieces.mjs';
import { readCourse } from './reading.mjs';
import { courseOf, notesOf, pastOf, stillOf } from './still.mjs';
import { nameOf, refusalOf, saveFile } from './takeaway.mjs';
import { showBy } from './view.mjs';

const POINTS = 1_200, TRIES = 6, REDRAW_MS = 100, ROWS_MAX = 200;
const count = (one) => number(one, 0);
const wait = (ms) => new Promise((done) => { setTimeout(done, ms); });

export class Answer {
  #told;
  #abort = null;
  #timer = null;
  #drawn = 0;
  #still = null; // what is drawn
  #answer = null; // of the archive, as it came

  /** `section` has `data-answer`; `palette()`; `isHeld()` whether nothing may change by itself now; `scope` the window. */
  constructor(section, { scope, palette, isHeld }) {
    Object.assign(this, { section, scope, palette, isHeld });
    this.#told = JSON.parse(section.dataset.answer);
    this.#build();
    void this.ask();
    const { refresh_s: every_s } = this.#told;
    if (every_s > 0) this.#timer = setInterval(() => { if (!this.isHeld() && this.#abort === null) void this.ask(false); }, 1_000 * every_s);
  }

  /** It left the page. */
  end() {
    clearInterval(this.#timer);
    this.#abort?.abort();
  }

  /** Draws it again, as the colours have changed. */
  repaint() { if (this.#still) this.#paint(); }

  /** Asks the archive; what was there before stays until the answer is whole. What nobody asked for is not read out. */
  async ask(isAsked = true) {
    this.#begin(isAsked ? 'asking the archive' : '');
    try {
      await (this.#told.course ? this.#askCourse() : this.#askAnswer());
      this.#end();
      setText(this.parts.heard, isAsked ? `Answered, ${this.section.querySelector('.freshness-text').textContent}` : '');
    } catch (error) {
      const isGivenUp = error.name === 'AbortError';
      this.#end(isGivenUp ? 'Cancelled' : `Not answered: ${error.message}`);
      if (this.#still === null) this.#state('not answered', isGivenUp ? 'Cancelled' : 'Not answered');
    }
  }

  async #askAnswer() {
    const { blob, interval } = await this.#read('json', this.#told.query);
    const answer = JSON.parse(await blob.text());
    if (answer.refused) throw new Error(answer.refused);
    this.#answer = { ...answer, asked: interval };
    this.#still = stillOf(answer, (this.#drawn += 1));
    this.#state(`as of ${clock(answer.as_of)}, from the archive`);
    setText(this.parts.notes, notesOf(answer, { moment, count }).join(' · '));
    this.#show();
  }

  async #askCourse() {
    const { course, since } = this.#told, now = Date.now(), until = Math.min(this.#told.until ?? now, now);
    const past = pastOf(course, { since, until }, POINTS), { signal } = this.#abort;
    const onPart = (part, share) => {
      past.add(part);
      this.parts.progress.value = share;
    };
    await readCourse({
      ask: (path) => fetch(path, { signal, cache: 'no-store' }), later: wait, channel: course.channel, since, until, points: POINTS, onPart, signal,
    });
    this.#answer = { of: course.channel, since, until, as_of: now };
    this.#still = courseOf(past, course, { since, until }, (this.#drawn += 1));
    this.#state(`as of ${clock(now)}, from the archive`);
    setText(this.parts.notes, `${moment(since)} to ${moment(until)}`);
    this.#show();
  }

  /** Reads an answer as it comes: {blob, name, interval}. */
  async #read(form, query) {
    const { signal } = this.#abort, address = `/api/explore?${new URLSearchParams({ ...query, format: form, progress: 1 })}`;
    const answer = await this.#asked(address, signal);
    const [since, until] = (answer.headers.get('Headwater-Interval') ?? '0 1').split(' ').map(Number);
    const pieces = new Pieces(), reader = answer.body.getReader();
    for (;;) {
      const { done, value: bytes } = await reader.read();
      if (done) break;
      pieces.push(bytes);
      if (pieces.told?.error) throw new Error(pieces.told.error);
      if (pieces.told) this.parts.progress.value = shareOf(pieces.told, { since, until });
    }
    if (!pieces.isWhole) throw new Error('the connection ended before the answer was whole');
    const blob = new Blob(pieces.parts, { type: answer.headers.get('Content-Type') });
    return { blob, name: nameOf(answer.headers.get('Content-Disposition'), `explore.${form}`), interval: { since, until } };
  }

  /** A server that is busy is asked again. */
  async #asked(address, signal) {
    for (let tries = 1; ; tries += 1) {
      const answer = await fetch(address, { signal, cache: 'no-store' });
      if (answer.ok) return answer;
      if (![429, 503].includes(answer.status) || tries === TRIES) throw await refusalOf(answer);
      await wait(1_000 * Number(answer.headers.get('Retry-After') ?? 1));
      signal.throwIfAborted();
    }
  }

  // ---- what is seen ----

  #show() {
    if (this.section.classList.contains('chart')) this.#paint();
    else this.#drawRows();
  }

  #paint() {
    const { spec, store, view } = this.#still, still = this.#still;
    showBy(this.section, view);
    const isDrawn = paintChart(this.section, spec, store, this.palette(), [], performance.now());
    if (isDrawn) setData(this.section, 'answered', String(this.#drawn));
    // Plotly's bundle may still be on its way
    else setTimeout(() => { if (this.section.isConnected && this.#still === still) this.#paint(); }, REDRAW_MS);
  }

  #drawRows() {
    const { groups, by, label, unit, decimals, events } = this.#answer, place = this.section.querySelector('[data-answer-rows]');
    const table = make('table', { className: 'answer-table' }), head = make('tr'), body = make('tbody');
    const isCount = this.#told.query.show === 'count'; // its value is the number of events
    const names = [...(by === null ? [] : [by]), unit ? `${label} (${unit})` : label, ...(isCount ? [] : ['Events'])];
    names.forEach((name) => head.append(make('th', { scope: 'col', textContent: name })));
    const known = groups.filter(([, found]) => found !== null).sort(([, a], [, b]) => b - a);
    const rows = [...known, ...groups.filter(([, found]) => found === null)];
    for (const [group, found, own] of rows.slice(0, ROWS_MAX)) {
      const row = make('tr');
      if (by !== null) row.append(make('th', { scope: 'row', textContent: group }));
      row.append(make('td', { textContent: value(found, { type: 'number', decimals }) }));
      if (!isCount) row.append(make('td', { textContent: count(own) }));
      body.append(row);
    }
    const caption = make('caption', { className: 'visually-hidden', textContent: `${label}, over the whole interval` }), top = make('thead');
    top.append(head);
    table.append(caption, top, body);
    place.replaceChildren(table);
    if (rows.length > ROWS_MAX) place.append(make('p', { className: 'explore-more', textContent: `${count(ROWS_MAX)} of ${count(rows.length)} rows; the files have all` }));
    this.section.toggleAttribute('data-empty', events === 0);
    setData(this.section, 'answered', String((this.#drawn += 1)));
  }

  #state(words, empty = 'No values in this interval') {
    setText(this.section.querySelector('.empty'), empty);
    setText(this.section.querySelector('.freshness-text'), words);
  }

  #build() {
    const place = this.section.querySelector('[data-answer-bar]'), { form } = this.#told;
    const button = (words, act) => {
      const made = make('button', { type: 'button', className: 'look', textContent: words });
      made.addEventListener('click', act);
      return made;
    };
    this.parts = {
      refresh: button('Refresh', () => this.ask()), cancel: button('Cancel', () => this.#abort?.abort()),
      progress: make('progress', { max: 1 }), notes: make('span', { className: 'explore-notes' }),
      said: make('span', { className: 'lookback-told' }), heard: make('span', { className: 'visually-hidden' }), files: make('div', { className: 'lookback-choice' }),
    };
    for (const part of [this.parts.said, this.parts.heard]) part.setAttribute('role', 'status');
    this.parts.progress.setAttribute('aria-label', `Answer: ${this.#told.title}`);
    this.parts.files.setAttribute('role', 'group');
    this.parts.files.setAttribute('aria-label', 'Take away');
    const files = [['CSV', () => this.#save('csv')], ['Parquet', () => this.#save('parquet')]];
    if (form === 'chart') files.push(['PNG', () => this.#savePicture()]);
    this.parts.files.append(make('span', { textContent: 'Take away', className: 'explore-label' }), ...files.map(([words, act]) => button(words, act)));
    const standing = make('div', { className: 'lookback-standing' });
    standing.append(this.parts.heard, this.parts.said, this.parts.progress, this.parts.cancel);
    place.replaceChildren(this.parts.refresh, this.parts.files, this.parts.notes, standing);
    if (this.scope.document.documentElement.dataset.replay !== undefined) place.before(presentNote());
    this.section.toggleAttribute('data-empty', form === 'chart');
    setText(this.section.querySelector('.empty'), 'Asking the archive');
    this.#end();
  }

  #begin(words) {
    this.#abort?.abort();
    this.#abort = new AbortController();
    const { progress, cancel, said } = this.parts;
    progress.hidden = cancel.hidden = false;
    progress.value = 0;
    setText(said, words);
    setText(this.parts.heard, '');
    said.removeAttribute('data-trouble');
  }

  #end(words = '') {
    this.#abort = null;
    const { progress, cancel, said } = this.parts;
    progress.hidden = cancel.hidden = true;
    setText(said, words);
    said.toggleAttribute('data-trouble', words.startsWith('Not'));
  }

  // ---- files ----

  /** The same question over the interval that is shown, so that the file holds what is on the page. */
  async #save(form) {
    if (this.#answer === null) return;
    const { of, since, until } = { ...this.#answer, ...this.#answer.asked };
    this.#begin('writing the file');
    try {
      if (this.#told.course) {
        const query = new URLSearchParams({ since: Math.floor(since), until: Math.ceil(until), format: form });
        const answer = await this.#asked(`/api/channels/${encodeURIComponent(of)}/export?${query}`, this.#abort.signal);
        saveFile(this.scope, await answer.blob(), nameOf(answer.headers.get('Content-Disposition'), `${of}.${form}`));
      } else {
        const { window: _, refresh: __, ...query } = this.#told.query;
        const { blob, name } = await this.#read(form, { ...query, from: since, to: until });
        saveFile(this.scope, blob, name);
      }
      this.#end(`${form === 'csv' ? 'CSV' : 'Parquet'} saved`);
    } catch (error) {
      this.#end(error.name === 'AbortError' ? 'Cancelled, nothing was saved' : `Not saved: ${error.message}`);
    }
  }

  async #savePicture() {
    const graph = this.section.querySelector('.js-plotly-plot'), { Plotly } = this.scope;
    if (!Plotly || !graph || this.#answer === null) return;
    const { of, as_of: asOf } = this.#answer, at = new Date().toISOString();
    const stamp = [`${of} · as of ${new Date(asOf).toISOString()}, from the archive · taken ${at}`, this.scope.location.href];
    const font = this.scope.getComputedStyle(this.scope.document.body).fontFamily;
    const blob = await picture(Plotly, graph, { title: this.#told.title, stamp, font, palette: this.palette() });
    saveFile(this.scope, blob, `explore-${of.replace(/[^\w.]/g, '-')}-at-${at.replace(/[-:]|\.\d+/g, '')}.png`);
    this.#end('Picture saved');
  }
}

/** What an archive says is not of the time that a replay shows: also what came late is in it. */
function presentNote() {
  const words = 'Not part of the replay: the archive answers as of now. For the replayed time choose the interval from … to ….';
  const note = make('p', { className: 'explore-present', textContent: words });
  note.setAttribute('role', 'note');
  return note;
}
