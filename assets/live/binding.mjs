/* Binding: which live components are on the page, what paints each of them, and who waits for which channel. */

/** The live components of the open page. Whoever makes one gives `jobOf(element, spec)`: the job that paints it, or
    null where something else does; `onBound(job)` and `onGone(job)` tell of them. */
export class Binding {
  #bound = new Map(); // element → {job, channels, judged, grid}
  #waiting = new Map(); // channel → [{element, job, isMain}]

  /** `specOf(element)` is what a component shows: as declared, or with what is chosen. */
  constructor({ jobOf, onBound, onGone, specOf = (element) => JSON.parse(element.dataset.live) }) {
    Object.assign(this, { jobOf, onBound, onGone, specOf });
  }

  get size() { return this.#bound.size; }

  /** Every component: {element, job, channels, judged, grid}, its main channel first; `judged` are those whose freshness is
      its own, `grid` is the uid of the grid in it. */
  *parts() { for (const [element, bound] of this.#bound) yield { element, ...bound }; }

  /** The jobs that paint components. */
  jobs() { return [...this.#bound.values()].flatMap(({ job }) => job ?? []); }

  /** The job that paints an element. */
  job(element) { return this.#bound.get(element)?.job; }

  /** The channels that the components show. */
  channels() { return [...this.#waiting.keys()]; }

  /** Who shows a channel: [{element, job, isMain}], where the job of what Dash paints is null. */
  waiting(channel) { return this.#waiting.get(channel) ?? []; }

  /** Whether a component is there that was declared for this channel, whatever it shows of it now. */
  declares(channel) { return [...this.#bound.values()].some(({ declared }) => declared === channel); }

  /** Lets go of everything: what is on the page is bound anew. */
  release() {
    for (const [element, { job }] of this.#bound) if (job !== null) this.onGone(job, element);
    this.#bound.clear();
    this.#waiting = new Map();
  }

  /** Whether a component has left the page by another way than a change of pages. */
  isOutdated() { return [...this.#bound.keys()].some((element) => !element.isConnected); }

  /** Binds what is on the page now and lets go of what is not; returns the channels of what was not there before. */
  rescan(document) {
    const elements = new Set(document.querySelectorAll('[data-live]'));
    for (const [element, { job }] of this.#bound) {
      if (elements.has(element)) continue;
      this.#bound.delete(element);
      if (job !== null) this.onGone(job, element);
    }
    const fresh = [...elements].filter((element) => !this.#bound.has(element));
    fresh.forEach((element) => this.#bind(element));
    this.#waiting = new Map();
    for (const { element, job, channels } of this.parts()) channels.forEach((name, i) => this.#await(name, { element, job, isMain: i === 0 }));
    return fresh.flatMap((element) => this.#bound.get(element).channels);
  }

  #bind(element) {
    const spec = this.specOf(element), job = this.jobOf(element, spec), judged = [spec.channel, ...(spec.also ?? [])];
    const channels = [...judged, ...(spec.trend ? [spec.trend.channel] : [])];
    this.#bound.set(element, { job, channels, judged, grid: spec.grid, declared: spec.declared ?? spec.channel });
    if (job !== null) this.onBound(job, element, spec);
  }

  #await(name, showing) {
    if (!this.#waiting.has(name)) this.#waiting.set(name, []);
    this.#waiting.get(name).push(showing);
  }
}
