/* Rows of a live table: what a grid has shown so far, and the transaction that brings it up to date.
   A snapshot is diffed into a transaction as well, so scroll, selection and sort hold. A transaction is applied at
   once: the changes come gathered already, and the grid's own waiting would only delay them a second time. */

const TRANSACTIONS_PER_DRAWING = 500;

/** The transaction from `shown` (key → row as shown) to `rows`, and `shown` brought to it. `keys` true: look at all. A
    row that is not `isShown` is none. */
export function transaction(shown, rows, keys, isShown = () => true) {
  const add = [], update = [], remove = [];
  for (const key of keys === true ? new Set([...shown.keys(), ...rows.keys()]) : keys) {
    const known = rows.get(key), row = isShown(known) ? known : undefined;
    if (row === shown.get(key)) continue;
    if (row === undefined) remove.push({ id: key });
    else (shown.has(key) ? update : add).push({ ...row, id: key });
    if (row === undefined) shown.delete(key);
    else shown.set(key, row);
  }
  return { add, update, remove };
}

/** Keeps the grids of the open page up to date. `getApi(id)` throws until a grid is ready; `heldBy(uid)` gives what a
    paused grid shows instead of the store. */
export class Grids {
  #ids = []; // of the grids on the page
  #shown = new WeakMap(); // grid api → key → row
  #pending = new Map(); // uid of a grid that is not ready → {id, keys}
  #channels = new WeakMap(); // grid api → the channel whose rows it shows
  #transactions = new WeakMap(); // grid api → how many it was given

  /** `onReady(id, api)` is told of each grid before its first rows; `channelOf(id)` is the channel that it shows, and
      `isShown(id, row)` whether it shows a row of it. */
  constructor({ store, getApi, later, heldBy = () => undefined, onReady = () => {}, channelOf = ({ channel }) => channel, isShown = () => true }) {
    Object.assign(this, { store, getApi, later, heldBy, onReady, channelOf, isShown, retrying: false });
  }

  /** The grids with these ids are on the page, and no others: they get all of their rows. */
  show(ids) {
    this.#ids = ids;
    const open = new Set(ids.map((id) => id.uid));
    for (const uid of this.#pending.keys()) if (!open.has(uid)) this.#pending.delete(uid);
    for (const id of ids) this.#note(id, true);
    this.#apply();
  }

  /** Notes changes of channels; a grid that is not ready yet is tried again, and a held one takes none. */
  update(changes) {
    for (const id of this.#ids) {
      const keys = changes[this.channelOf(id)];
      if (keys !== undefined && !this.heldBy(id.uid)) this.#note(id, keys);
    }
    this.#apply();
  }

  /** Writes every cell anew: what it says is the same and its words are not. */
  rewrite() {
    for (const id of this.#ids) this.#ready(id)?.refreshCells({ force: true, suppressFlash: true });
  }

  /** A grid was held or let go, or all show something else: they get what is different. */
  renew(uid = null) {
    for (const id of this.#ids) if (uid === null || id.uid === uid) this.#note(id, true);
    this.#apply();
  }

  /** The grid of a table's element; null where it is none, or not ready. */
  of(element) {
    const found = [...element.querySelectorAll('[id]')].find(({ id }) => id.includes('"live-table"'));
    return found ? this.#ready(JSON.parse(found.id)) : null;
  }

  /** Calls `act(api)` for a grid that is ready. */
  whenReady(id, act) {
    const api = this.#ready(id);
    if (api) act(api);
  }

  #note(id, keys) {
    const pending = this.#pending.get(id.uid);
    this.#pending.set(id.uid, { id, keys: pending === undefined ? keys : true });
  }

  #apply() {
    for (const [uid, { id, keys }] of this.#pending) {
      const channel = this.channelOf(id), rows = (this.heldBy(uid) ?? this.store).get(channel)?.state?.rows, api = this.#ready(id);
      if (api && !rows && this.#shown.get(api)?.size && this.#channels.get(api) !== channel) this.#bringUp(id, api, new Map(), true); // rows of another one
      // without rows yet its snapshot will be the next change
      if (api && (!rows || this.#bringUp(id, api, rows, keys))) this.#pending.delete(uid);
      else this.#pending.set(uid, { id, keys: true });
    }
    if (this.#pending.size > 0 && !this.retrying) {
      this.retrying = true;
      this.later(() => { this.retrying = false; this.#apply(); }, 100);
    }
  }

  /** Returns whether the rows stayed: a grid that is being mounted empties itself once more, so it is looked at again. */
  #bringUp(id, api, rows, keys) {
    if (!this.#shown.has(api)) this.onReady(id, api);
    const shown = this.#shown.get(api) ?? new Map(), [first] = shown.keys();
    const isHeld = first !== undefined && Boolean(api.getRowNode(first));
    if (!isHeld) shown.clear();
    this.#shown.set(api, shown);
    const change = transaction(shown, rows, isHeld ? keys : true, (row) => this.isShown(id, row));
    this.#channels.set(api, this.channelOf(id));
    if (change.add.length || change.update.length || change.remove.length) {
      api.applyTransaction(change);
      this.#drawFrameAtTimes(api);
    }
    const isSettled = isHeld || shown.size === 0;
    if (isSettled) this.#tellOfNoRows(api, shown.size === 0);
    return isSettled;
  }

  /** With each transaction the grid tells its frame the same heights, and React keeps all that it was told until the
      frame is drawn anew: 280 KB a minute that were held for as long as nothing else had it drawn. */
  #drawFrameAtTimes(api) {
    const count = (this.#transactions.get(api) ?? 0) + 1;
    this.#transactions.set(api, count);
    if (count % TRANSACTIONS_PER_DRAWING !== 0) return;
    for (const isSelectable of [false, true]) api.setGridOption('enableCellTextSelection', isSelectable); // there and back in one drawing
  }

  /** Only what is known to have no rows says so: a grid that waits for them would have it read out as they come. */
  #tellOfNoRows(api, isEmpty) {
    if (!api.getGridOption("suppressNoRowsOverlay")) return;
    api.setGridOption("suppressNoRowsOverlay", false);
    if (isEmpty) api.showNoRowsOverlay();
  }

  #ready(id) {
    try {
      const api = this.getApi(id);
      return api?.isDestroyed?.() ? null : api;
    } catch {
      return null;
    }
  }
}
