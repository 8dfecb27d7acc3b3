/* Drawer: one row of a table, opened at its side: every field as it is now, what each was and when it changed. The archive
   gives what was, the newest first and more on demand; what comes while it is open is added from the live state. */

import { drawChange, drawDrawer, paintCourse } from './drawer_nodes.mjs';
import { duration, moment, value, withUnit } from './format.mjs';
import { setText } from './nodes.mjs';
import { readRowChanges } from './reading.mjs';
import { changesOf, stepsOf } from './row_changes.mjs';

const OPEN = 'row-details', PART = 40, ROWS_MAX = 5_000;
const EVERY_MS = 250, AGAIN_MS = 2_000, AGAIN_MAX = 6;

export class Drawer {
  #open = null;

  /** `scope` is the window; `partOf(uid)` {element} of a grid's table; `specOf(element)` what it shows; `viewOf(element)`
      the channels as it shows them; `time()` the server's; `isLive(element)` false where it shows a held or past time;
      `choosing` lets the page show alone what the row has. */
  constructor({ scope, partOf, specOf, viewOf, time, isLive, choosing }) {
    Object.assign(this, { scope, partOf, specOf, viewOf, time, isLive, choosing, waiting: null });
    scope.addEventListener('popstate', () => this.close());
  }

  /** A grid can be asked: its rows may be opened. */
  ready({ uid }, api) {
    const show = ({ node, column }) => {
      const part = this.partOf(uid);
      if (part && node?.data) this.show(part.element, node.data.id, { api, column });
    };
    api.addEventListener('cellClicked', (event) => { if (event.column.getColId() === OPEN) show(event); });
    api.addEventListener('cellKeyDown', (event) => { if (event.event.key === 'Enter') show(event); });
  }

  /** Opens the row of a key; `from` {api, column} is where the focus goes back to. */
  show(element, key, from = null) {
    this.close();
    const spec = this.specOf(element);
    if (spec?.row) this.#open = new OpenRow(this, element, spec, key, from);
    this.#open?.begin();
  }

  close() { this.#open?.close(); }

  closed(one) { if (this.#open === one) this.#open = null; }

  /** Something of the store has changed: the open row is looked at, a few times a second. */
  update() {
    if (this.#open === null || this.waiting !== null) return;
    this.waiting = this.scope.setTimeout(() => {
      this.waiting = null;
      this.#open?.look();
    }, EVERY_MS);
  }
}

class OpenRow {
  #rows = new Map(); // what is known, each once
  #row = null; // as it is now
  #last = null; // the newest values, also of a row that is gone
  #reached = null; // how far back it is read
  #wanted = 0; // so many changes are to be shown
  #stop = new AbortController();
  #tries = 0;

  constructor(drawer, element, spec, key, from) {
    Object.assign(this, { drawer, element, spec, key, from, scope: drawer.scope });
    Object.assign(this, { isReading: false, share: 0, trouble: '', isBehind: false, nodes: null });
  }

  begin() {
    const { document } = this.scope, channel = this.#channel();
    this.position = channel?.position ?? null;
    this.until = Math.ceil(this.drawer.time()) + 1;
    this.#row = channel?.state?.rows?.get(this.key);
    this.#last = this.#row ?? {};
    this.#note({ ...this.#last, at: this.#committedAt(channel), whole: true });
    this.nodes = drawDrawer(this.spec, this.element.getAttribute('aria-label') ?? '', this.key, {
      onClose: () => this.close(), onEarlier: () => this.#read(), onStop: () => this.#stop.abort(),
    });
    this.nodes.dialog.addEventListener('close', () => this.#gone());
    const offered = this.drawer.choosing?.offer(this.spec, this.#last);
    if (offered) this.nodes.offer(`Only ${offered.noun} ${offered.value}`, () => { this.close(); this.drawer.choosing.choose(offered.value); });
    document.body.append(this.nodes.dialog);
    this.nodes.dialog.showModal();
    this.nodes.dialog.focus();
    this.#paint();
    if (this.spec.row.history_ms > 0) void this.#read();
  }

  close() { if (this.nodes?.dialog.open) this.nodes.dialog.close(); }

  #gone() {
    this.#stop.abort();
    this.nodes.dialog.remove();
    this.drawer.closed(this);
    const node = this.from?.api.isDestroyed?.() ? null : this.from?.api.getRowNode(this.key);
    if (node) this.from.api.setFocusedCell(node.rowIndex, this.from.column);
  }

  /** Takes over what the row has become. */
  look() {
    if (!this.element.isConnected) return this.close();
    const channel = this.#channel(), row = channel?.state?.rows?.get(this.key);
    if (row === this.#row) return this.#paint();
    this.#row = row;
    const at = this.#committedAt(channel);
    this.#note(row ? { ...row, at, whole: true } : { at, deleted: true });
    this.#last = row ?? this.#last;
    this.#paint();
  }

  #channel() { return this.drawer.viewOf(this.element).get(this.spec.channel); }

  /** When the change was committed, as the archive has it. */
  #committedAt(channel) { return channel?.arrived?.times?.processed ?? Math.floor(this.drawer.time()); }

  #note(row) {
    const words = JSON.stringify(row);
    this.#rows.set(words, row);
    if (this.#rows.size <= ROWS_MAX) return;
    const oldest = [...this.#rows].sort(([, a], [, b]) => a.at - b.at).slice(0, this.#rows.size - ROWS_MAX);
    for (const [name, { at }] of oldest) {
      this.#rows.delete(name);
      this.#reached = Math.max(this.#reached ?? 0, at + 1); // it is there to be read again
    }
  }

  get #since() { return this.until - this.spec.row.history_ms; }

  /** Reads further back, until so many more changes are known, or there are no earlier ones. */
  async #read() {
    const known = changesOf(this.#rows.values()).length, until = this.#reached ?? this.until;
    if (this.trouble === '') this.#wanted = Math.min(this.#wanted, known) + PART;
    if (known >= this.#wanted || until <= this.#since) return this.#paint();
    await this.#ask(until, (part, share) => {
      if (this.#reached === null) this.#join(part);
      this.#reached = part.since;
      this.share = share;
      return changesOf(this.#rows.values()).length >= this.#wanted;
    });
  }

  async #ask(until, onPart) {
    const { scope, spec, key } = this, stop = this.#stop = new AbortController();
    Object.assign(this, { isReading: true, share: 0, trouble: '' });
    this.#paint();
    try {
      await readRowChanges({
        ask: (path, signal) => scope.fetch(path, { signal, cache: 'no-store' }), later: (ms) => new Promise((done) => { scope.setTimeout(done, ms); }),
        channel: spec.channel, key, since: this.#since, until, signal: stop.signal,
        onPart: (part, share) => {
          for (const row of part.rows) this.#note(row);
          const isEnough = onPart(part, share);
          this.#paint();
          return isEnough;
        },
      });
    } catch (error) {
      if (!stop.signal.aborted) this.trouble = error.name === 'Error' ? error.message : 'the server does not answer';
    }
    this.isReading = false;
    this.#paint();
  }

  /** An archive that lags behind what was shown when the row was opened is asked again for the newest part. */
  #join({ position, until }) {
    const { epoch, seq } = this.position ?? {};
    this.isBehind = this.drawer.isLive(this.element) && seq !== undefined && !(position?.epoch === epoch && position.seq >= seq);
    if (!this.isBehind || this.#tries >= AGAIN_MAX) return;
    this.#tries += 1;
    this.scope.setTimeout(() => {
      if (this.nodes.dialog.isConnected) void this.#ask(until, (part) => { this.#join(part); return true; });
    }, AGAIN_MS);
  }

  #paint() {
    const { nodes, spec } = this, rows = [...this.#rows.values()], now = Math.floor(this.drawer.time());
    const changes = changesOf(rows), isGone = this.#row === undefined;
    nodes.dialog.toggleAttribute('data-gone', isGone);
    setText(nodes.gone, isGone ? goneInWords(changes, now) : '');
    for (const { field, value: node, when, line, range } of nodes.fields) {
      const column = spec.row.fields.find((one) => one.field === field);
      setText(node, withUnit(value(this.#last[field], column), column.unit));
      const changed = changes.findLast((one) => one.kind === 'set' && one.fields.some((each) => each.field === field));
      setText(when, changed ? `since ${moment(changed.at)}` : '');
      if (line) paintCourse(line, range, stepsOf(rows, field, now), column);
    }
    this.#paintChanges(changes);
  }

  #paintChanges(changes) {
    const { nodes, spec } = this, shown = changes.slice(-Math.max(PART, this.#wanted)).reverse();
    const isAll = this.#reached !== null && this.#reached <= this.#since && shown.length === changes.length;
    const first = shown[shown.length - 1], told = JSON.stringify([shown.length, shown[0], first?.at, first?.kind, isAll]);
    if (nodes.list.dataset.told !== told) {
      nodes.list.replaceChildren(...shown.map((change) => drawChange(change, spec.row.fields, isAll)));
      nodes.list.dataset.told = told;
    }
    nodes.progress.hidden = nodes.stop.hidden = !this.isReading;
    nodes.progress.value = this.share;
    nodes.earlier.hidden = this.isReading || isAll || spec.row.history_ms === 0;
    setText(nodes.earlier, this.trouble === '' ? 'Earlier' : 'Try again');
    setText(nodes.told, this.#standing(isAll, changes, shown.length < changes.length ? first.at : this.#reached));
    nodes.told.toggleAttribute('data-trouble', this.trouble !== '');
  }

  #standing(isAll, changes, back) {
    const { history_ms } = this.spec.row;
    if (history_ms === 0) return 'This channel keeps no history: what changes while this is open is told here.';
    if (this.trouble !== '') return `The history could not be read: ${this.trouble}.`;
    if (this.isReading) return `Reading${this.#reached === null ? '' : `, back to ${moment(this.#reached)}`}`;
    if (this.isBehind) return this.#tries < AGAIN_MAX ? 'The archive is a moment behind: it is asked again.' : 'The archive is behind: the newest changes before this was opened may be missing.';
    if (isAll) return changes.length > 1 ? `Nothing earlier is kept: the archive goes back ${duration(history_ms)}.` : `It has not changed in the ${duration(history_ms)} that the archive keeps.`;
    return this.#reached === null ? '' : `Read back to ${moment(back)}.`;
  }
}

function goneInWords(changes, now) {
  const gone = changes.findLast(({ kind }) => kind === 'gone');
  return `Not in the table any more${gone ? `, since ${moment(gone.at, now)}` : ''}: its last values.`;
}
