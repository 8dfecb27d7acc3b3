/* Rows of a live table: what a grid has shown so far, and the transaction that brings it up to date.
   A snapshot is diffed into a transaction as well, so scroll, selection and sort hold. A transaction is applied at
   once: the changes come gathered already, and the grid's own waiting would only delay them a second time. */

/** The transaction from `shown` (key → row as shown) to `rows`, and `shown` brought to it. `keys` true: look at all. */
export function transaction(shown, rows, keys) {
  const add = [], update = [], remove = [];
  for (const key of keys === true ? new Set([...shown.keys(), ...rows.keys()]) : keys) {
    const row = rows.get(key);
    if (row === shown.get(key)) continue;
    if (row === undefined) remove.push({ id: key });
    else (shown.has(key) ? update : add).push({ ...row, id: key });
    if (row === undefined) shown.delete(key);
    else shown.set(key, row);
  }
  return { add, update, remove };
}

/** Keeps the grids of the open page up to date. `getApi(id)` throws until a grid is ready. */
export class Grids {
  #shown = new WeakMap(); // grid api → key → row
  #pending = new Map(); // uid of a grid that is not ready → {id, keys}

  constructor({ store, getApi, later }) {
    Object.assign(this, { store, getApi, later, retrying: false });
  }

  /** Notes changes of channels for the grids with these ids; a grid that is not ready yet is tried again. */
  update(changes, ids) {
    const open = new Set(ids.map((id) => id.uid));
    for (const uid of this.#pending.keys()) if (!open.has(uid)) this.#pending.delete(uid);
    for (const id of ids) if (changes[id.channel] !== undefined) this.#note(id, changes[id.channel]);
    this.#apply();
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
      const rows = this.store.get(id.channel)?.state?.rows, api = this.#ready(id);
      if (rows && api) this.#bringUp(api, rows, keys);
      if (api) this.#pending.delete(uid); // without rows yet its snapshot will be the next change
      else this.#pending.set(uid, { id, keys: true });
    }
    if (this.#pending.size > 0 && !this.retrying) {
      this.retrying = true;
      this.later(() => { this.retrying = false; this.#apply(); }, 100);
    }
  }

  #bringUp(api, rows, keys) {
    const isNew = !this.#shown.has(api);
    if (isNew) this.#shown.set(api, new Map());
    const change = transaction(this.#shown.get(api), rows, isNew || keys);
    if (change.add.length || change.update.length || change.remove.length) api.applyTransaction(change);
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
