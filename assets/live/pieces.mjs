/* Pieces: a file that comes piece by piece, each after a line of JSON that says its size and how far the file is. */

const NEWLINE = 10;

/** Takes an answer's bytes as they come; `told` is the newest line, `parts` are the file so far. */
export class Pieces {
  #held = new Uint8Array(0);
  #head = null;

  constructor() { Object.assign(this, { parts: [], told: null }); }

  /** Whether the file is whole. */
  get isWhole() { return this.told?.done === true && this.#head === null && this.#held.length === 0; }

  push(bytes) {
    const joined = new Uint8Array(this.#held.length + bytes.length);
    joined.set(this.#held);
    joined.set(bytes, this.#held.length);
    this.#held = joined;
    while (this.#step());
  }

  #step() {
    if (this.#head === null) {
      const end = this.#held.indexOf(NEWLINE);
      if (end === -1) return false;
      this.#head = this.told = JSON.parse(new TextDecoder().decode(this.#take(end + 1)));
    }
    if (this.#held.length < this.#head.bytes) return false;
    if (this.#head.bytes > 0) this.parts.push(this.#take(this.#head.bytes));
    this.#head = null;
    return this.#held.length > 0;
  }

  #take(count) {
    const taken = this.#held.slice(0, count);
    this.#held = this.#held.slice(count);
    return taken;
  }
}

/** How much of an interval is read, from 0 to 1. */
export function shareOf({ until }, interval) {
  const share = (until - interval.since) / (interval.until - interval.since);
  return Math.min(1, Math.max(0, share));
}
