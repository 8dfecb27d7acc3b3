/* Painters: who paints each kind of component. Tile, chart and log write into nodes that the page's document brings. All
   others, our own and a team's, are objects {mount, paint} that make their nodes themselves; they are called from the one
   paint loop, within its budget, and told what the channel holds and which of it has changed. */

import { bar } from './bar.mjs';
import { paintChart } from './chart.mjs';
import { isChosen } from './choice.mjs';
import { heatMap } from './heat_map.mjs';
import { histogram } from './histogram.mjs';
import { liveText } from './live_text.mjs';
import { paintLog } from './log.mjs';
import { setText } from './nodes.mjs';
import { Job } from './paint.mjs';
import { statusList } from './status_list.mjs';
import { paintTile } from './tile.mjs';
import { zoneName } from './zone.mjs';

const WHOLE = { tile: paintTile, chart: paintChart, log: paintLog };
export const OWN = { bar, heat_map: heatMap, histogram, live_text: liveText, status_list: statusList };
const GROUPS = { tile: 'text', chart: 'chart', log: 'text', none: 'changes' };
const NAME = /^[a-z][a-z0-9_]*$/;

/** With whom a component shares the loop's budget; what is painted a few times a second does not hold up the texts. */
export const groupOf = ({ paint, every_ms }) => GROUPS[paint] ?? (every_ms ? 'painted' : 'text');

/** The rows, lines or entries of a state by their keys; what `only` leaves out is not among them, nor are lines of other
    groups than `names`. Each is another object whenever it has changed. */
export function itemsOf({ rows, series, entries }, { only = null, names = null } = {}) {
  if (series) return new Map(names === null ? series : [...series].filter(([name]) => names.includes(name.slice(name.indexOf(':') + 1))));
  const all = rows ?? new Map(entries.map((entry) => [entry.id, entry]));
  return only ? new Map([...all].filter(([, one]) => isChosen(only, one))) : new Map(all);
}

/** The keys under which `items` are others than `former`, those that are gone too; true where there is no former. */
export function changedKeys(former, items) {
  if (former === null) return true;
  const changed = new Set();
  for (const [key, one] of items) if (former.get(key) !== one) changed.add(key);
  for (const key of former.keys()) if (!items.has(key)) changed.add(key);
  return changed;
}

/** A state as a painter is given it: as the channel has it, with the items that are shown. */
function stateWith(state, items) {
  if (state.series) return { series: items, restated: state.restated };
  return state.rows ? { rows: items } : { entries: [...items.values()] };
}

/** The same, without what a component's spec leaves out. */
export const shownState = (state, spec) => stateWith(state, itemsOf(state, spec));

export class Painters {
  #known = new Map(Object.entries(OWN));
  #isLoaded = false;

  /** `view(element)` gives the channels as a component shows them; `palette()`, `incidents()` and `now()` (monotonic) are
      those of charts; `time()` is the server's; `onAdded()` is told of a painter that came later. */
  constructor({ view, palette, incidents, now, time, onAdded = () => {} }) {
    Object.assign(this, { view, palette, incidents, now, time, onAdded });
  }

  /** Makes a painter known: {mount(place, spec), paint(own, seen), rows?(spec, state)}. */
  add(name, painter) {
    const fault = !NAME.test(name) ? 'lower-case letters, digits and _ make a name'
      : name in WHOLE || name in OWN ? 'it is a painter of the house: give another name'
        : typeof painter?.mount !== 'function' || typeof painter?.paint !== 'function' ? 'give {mount(place, spec), paint(own, seen)}' : null;
    if (fault !== null) throw new Error(`headwater.painter(${JSON.stringify(name)}): ${fault}`);
    this.#known.set(name, painter);
    this.onAdded();
  }

  get(name) { return this.#known.get(name); }

  /** Loads the modules of a team's painters; each registers itself by `headwater.painter(name, …)`. */
  async load(paths, importing = (path) => import(path)) {
    const told = await Promise.allSettled(paths.map(importing));
    this.#isLoaded = true;
    for (const { reason } of told) if (reason) console.error('headwater: the module of a painter cannot be loaded', reason);
    this.onAdded();
  }

  /** The job that paints a component; null where a grid does. */
  jobOf(element, spec) {
    if (spec.paint === undefined || spec.paint === 'none') return null;
    const paint = spec.paint in WHOLE ? this.#whole(element, spec) : new Easel(element, spec, this).paint;
    const job = new Job({ group: groupOf(spec), every_ms: spec.every_ms ?? 0, paint, seen: false });
    return Object.assign(job, { waiting: [], channels: [spec.channel, ...(spec.also ?? [])] });
  }

  /** Why a component has no painter; '' as long as one may still come. */
  missing(name) {
    return this.#isLoaded ? `This component cannot be drawn: no painter is called ${name}; painters/${name}.mjs has to register it` : '';
  }

  #whole(element, spec) {
    const view = this.view(element), painter = WHOLE[spec.paint];
    return () => painter(element, spec, view, this.palette(), this.incidents(), this.now());
  }
}

/** One component and what its painter has painted of it so far. */
class Easel {
  #place = null;
  #own;
  #former = []; // of each channel, the items that were painted last
  #zone = '';

  constructor(element, spec, painters) { Object.assign(this, { element, spec, painters, view: painters.view(element) }); }

  /** False where it cannot be painted yet. */
  paint = () => {
    const { element, spec, painters } = this, place = element.querySelector('[data-place]'), painter = painters.get(spec.paint);
    if (place === null) return false;
    if (painter === undefined) return this.#tell(painters.missing(spec.paint)), false;
    try {
      const done = this.#bring(place, painter);
      this.#tell('');
      return done;
    } catch (error) {
      this.#place = null; // nobody knows what stands there: it is made anew
      this.#tell(`This component cannot be drawn: ${error.message}`);
      throw error;
    }
  };

  #bring(place, painter) {
    const { element, spec } = this, zone = zoneName();
    if (place !== this.#place || zone !== this.#zone) this.#former = []; // times have other words
    const all = [spec.channel, ...(spec.also ?? [])].map((name, i) => this.#look(name, i)), [{ state, changed }, ...also] = all;
    element.toggleAttribute('data-empty', all[0].items === null || all[0].items.size === 0);
    if (state === null) return place.replaceChildren(), this.#place = null, true;
    if (place !== this.#place) this.#mount(place, painter);
    if (painter.paint(this.#own, { spec, state, changed, also, time: this.painters.time() }) === false) return false;
    this.#former = all.map(({ items }) => items);
    this.#zone = zone;
    return true;
  }

  #mount(place, painter) {
    place.replaceChildren();
    this.#own = painter.mount(place, this.spec);
    this.#place = place;
  }

  #look(name, i) {
    const state = this.view.get(name)?.state ?? null;
    if (state === null) return { state, items: null, changed: true };
    const items = itemsOf(state, this.spec);
    return { state: stateWith(state, items), items, changed: changedKeys(this.#former[i] ?? null, items) };
  }

  #tell(trouble) { setText(this.element.querySelector('[data-trouble]'), trouble); }
}
