/* Zone: in which time zone clock times are written, the viewer's or the server's, which is that of the contract or UTC.
   Everything that writes or reads a clock time asks here; a change of it is told to the page. */

const KEY = 'headwater-zone', META = 'headwater-zone', PARAMETER = 'zone';
export const VIEWER = 'viewer';
export const SERVER = 'server';
const QUARTER_MS = 900_000, DAY_MS = 86_400_000, KNOWN_MAX = 20_000; // clocks change at a full quarter of an hour
const LABEL = { timeZoneName: 'short' };
const FIELDS = { hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' };

export const ownZone = (given = {}) => new Intl.DateTimeFormat('en', given).resolvedOptions().timeZone || 'UTC';

let zone = ownZone();
let formats = new Map(); // of the zone in use, by what they write
const known = new Map(); // zone → quarter of an hour → how far its clock is ahead of UTC then

/** The zone in use, by its name in the zone database. */
export const zoneName = () => zone;

/** Writes all further times in this zone. */
export function useZone(name) {
  zone = name;
  formats = new Map();
}

/** A writer of times in the zone in use; `options` are those of Intl.DateTimeFormat. */
export function formatOf(key, options) {
  if (!formats.has(key)) formats.set(key, new Intl.DateTimeFormat('en', { ...options, timeZone: zone }));
  return formats.get(key);
}

/** How far the zone's clock is ahead of UTC at a time, in ms. */
export function aheadAt(at, name = zone) {
  if (!Number.isFinite(at)) return 0;
  const quarter = Math.floor(at / QUARTER_MS) * QUARTER_MS;
  if (!known.has(name) || known.get(name).size > KNOWN_MAX) known.set(name, new Map());
  const found = known.get(name);
  if (!found.has(quarter)) found.set(quarter, clockAt(quarter, name) - quarter);
  return found.get(quarter);
}

function clockAt(at, name) {
  const parts = new Intl.DateTimeFormat('en', { ...FIELDS, timeZone: name }).formatToParts(at);
  const { year, month, day, hour, minute, second } = Object.fromEntries(parts.map(({ type, value }) => [type, Number(value)]));
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

/** When clocks change between two times, in ms; null where they do not. */
export function changeBetween(from, until, name = zone) {
  if (!(from < until) || aheadAt(from, name) === aheadAt(until, name)) return null;
  let [low, high] = [Math.floor(from / QUARTER_MS), Math.ceil(until / QUARTER_MS)];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (aheadAt(middle * QUARTER_MS, name) === aheadAt(from, name)) low = middle;
    else high = middle;
  }
  return high * QUARTER_MS;
}

/** The zone in a few letters, as it is called at a time: GMT+1, EST. */
export const zoneLabel = (at = Date.now()) => formatOf('label', LABEL).formatToParts(at).find(({ type }) => type === 'timeZoneName').value;

/** Date and clock time, to the second, as a table has them. */
export const dateTime = (at) => (Number.isFinite(at) ? fieldOf(at).replace('T', ' ') : '');

/** A time as a field for local date and time holds it. */
export const fieldOf = (at) => new Date(at + aheadAt(at)).toISOString().slice(0, 19);

/** The time that such a field says, in ms; NaN where it says none. Of an hour that comes twice it is the first, and of
    one that is left out so much later. */
export function readField(text) {
  const clock = Date.parse(`${text}Z`);
  const before = clock - aheadAt(clock - DAY_MS), after = clock - aheadAt(clock + DAY_MS);
  const real = [before, after].filter((at) => at + aheadAt(at) === clock);
  return real.length > 0 ? Math.min(...real) : before;
}

/** The server's zone as this browser calls it; UTC where it does not know it. */
function serverZone(document) {
  try {
    return ownZone({ timeZone: document.querySelector(`meta[name="${META}"]`)?.content || 'UTC' });
  } catch {
    return 'UTC';
  }
}

/** The choice between the two zones: in the header, remembered, and told on the page. */
export class Zones {
  /** `onChange()` is called when times are to be written anew. */
  constructor(scope, onChange) {
    Object.assign(this, { scope, onChange, own: ownZone(), server: serverZone(scope.document) });
    const asked = new URLSearchParams(scope.location.search).get(PARAMETER);
    this.choice = [asked, this.#remembered(), VIEWER].find((one) => one === VIEWER || one === SERVER);
    useZone(this.choice === SERVER ? this.server : this.own);
    scope.document.addEventListener('click', ({ target }) => { if (target.closest?.('[data-zone-switch]')) this.toggle(); });
    scope.dashAgGridFunctions = Object.assign(scope.dashAgGridFunctions ?? {}, { moment: dateTime }); // a grid's own way to ours
    scope.setInterval(() => this.paint(), 60_000); // a clock may change while the page is open
    this.paint();
  }

  /** Goes to the other zone and remembers it; where storage is forbidden the choice holds until the page is left. */
  toggle() {
    this.choice = this.choice === SERVER ? VIEWER : SERVER;
    try { this.scope.localStorage.setItem(KEY, this.choice); } catch { /* see above */ }
    useZone(this.choice === SERVER ? this.server : this.own);
    this.paint();
    this.onChange();
  }

  /** Says on the page which zone it is. */
  paint() {
    const { document } = this.scope, label = zoneLabel(), root = document.documentElement, isOne = this.own === this.server;
    root.style.setProperty('--zone', JSON.stringify(label));
    root.style.setProperty('--zone-beside', JSON.stringify(` (${label})`));
    const [whose, other] = this.choice === SERVER ? ["the server's zone", 'yours'] : ['your time zone', "the server's"];
    for (const button of document.querySelectorAll('[data-zone-switch]')) {
      button.hidden = isOne;
      const words = `Times are in ${whose}, ${label}: switch to ${other}`;
      if (button.title === words) continue;
      button.textContent = label;
      button.title = words;
      button.setAttribute('aria-label', words);
    }
    const name = zoneName() === label ? label : `${zoneName()} (${label})`;
    const told = `Times are in ${isOne ? "your time zone, which is the server's" : whose}: ${name}.`;
    for (const place of document.querySelectorAll('[data-zone-told]')) if (place.textContent !== told) place.textContent = told;
  }

  #remembered() {
    try { return this.scope.localStorage.getItem(KEY); } catch { return null; }
  }
}
