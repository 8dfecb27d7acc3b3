/* Rows of a live table: what a grid has shown so far, and the transaction that brings it up to date.
   A snapshot is diffed into a transaction as well, so scroll, selection and sort hold. */

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
  #pending = new Map(); // uid → {id, keys}

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
    const all = keys === true || pending?.keys === true;
    this.#pending.set(id.uid, { id, keys: all || [...(pending?.keys ?? []), ...keys] });
  }

  #apply() {
    for (const [uid, { id, keys }] of this.#pending) {
      const rows = this.store.get(id.channel)?.state?.rows, api = rows && this.#ready(id);
      if (!api) continue;
      this.#pending.delete(uid);
      const isNew = !this.#shown.has(api);
      if (isNew) this.#shown.set(api, new Map());
      const change = transaction(this.#shown.get(api), rows, isNew || keys);
      if (change.add.length || change.update.length || change.remove.length) api.applyTransactionAsync(change);
    }
    if (this.#pending.size > 0 && !this.retrying) {
      this.retrying = true;
      this.later(() => { this.retrying = false; this.#apply(); }, 100);
    }
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
