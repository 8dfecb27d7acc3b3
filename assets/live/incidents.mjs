/* Incidents: what troubles there were of late, what maintenance was declared and what people noted, as marks with a text
   on charts. Over HTTP and not by a channel, so that
   a chart also shows since when its broker or its worker is down. */

import { escapeHtml } from './format.mjs';

export const ASK_MS = 15_000;
const URL = '/api/incidents', HOUR_MS = 3_600_000, DAY_MS = 24 * HOUR_MS, TEXT_MAX = 60, NOTES_MAX = 3, LETTER_PX = 6, LINE_PX = { near: 17, far: 28 };
const DASHES = { maintenance: 'dash', note: 'dot' }; // of the line at a mark's begin; colour is never the only sign
const LEVELS = { critical: 'bad', major: 'warn', minor: 'muted' };

/** What a chart of that channel shows of them between two moments: those of its feed, and those of no feed. */
export function marksOf(incidents, channel, since, until) {
  const feed = channel.split('.')[0];
  return incidents
    .filter((one) => (one.feed === null || one.feed === feed) && one.until >= since && one.began_at <= Math.max(until, one.until))
    .map((one) => ({ ...one, from: Math.max(one.began_at, since), level: LEVELS[one.severity] ?? 'muted' }));
}

const WORST_FIRST = ['bad', 'warn', 'muted'];

/** Stretches of time that do not overlap, each with the worst level of what was then: [{from, until, level}]. */
export function stretchesOf(marks) {
  const edges = [...new Set(marks.flatMap(({ from, until }) => [from, until]))].sort((a, b) => a - b), found = [];
  for (let i = 0; i + 1 < edges.length; i += 1) {
    const [from, until] = [edges[i], edges[i + 1]], then = marks.filter((one) => one.from <= from && one.until >= until);
    if (then.length === 0) continue;
    const level = WORST_FIRST.find((one) => then.some((mark) => mark.level === one)), last = found.at(-1);
    if (last?.until === from && last.level === level) last.until = until;
    else found.push({ from, until, level });
  }
  return found;
}

/** A line at each begin and bands below the data; where several overlap the band is that of the worst, and no darker
    for their number. `place` is a time on the chart's axis. */
export function markShapes(marks, palette, place) {
  const common = { xref: 'x', yref: 'paper', y0: 0, y1: 1, layer: 'below' };
  const bands = stretchesOf(marks).map(({ from, until, level }) => (
    { ...common, type: 'rect', x0: place(from), x1: place(until), fillcolor: palette[level], opacity: 0.1, line: { width: 0 } }));
  const begins = marks.map(({ from, level, mark }) => (
    { ...common, type: 'line', x0: place(from), x1: place(from), line: { color: palette[level], width: 1, ...(DASHES[mark] && { dash: DASHES[mark] }) } }));
  return [...bands, ...begins];
}

/** The newest of them in words, one below the other as far as they have room in the plot, no wider than half of it; the
    whole text when pointed at. `size` {w, h} is the plot's, in pixels. */
export function markNotes(marks, palette, place, middle, { w: width_px = Infinity, h: height_px = Infinity } = {}) {
  const line_px = LINE_PX[palette.kiosk ? 'far' : 'near'], rows = Math.max(1, Math.min(NOTES_MAX, Math.floor(height_px / line_px)));
  const most = Math.min(TEXT_MAX, Math.floor(width_px / 2 / (palette.kiosk ? 2 * LETTER_PX : LETTER_PX)));
  const newest = [...marks].sort((a, b) => a.from - b.from).slice(-rows);
  return newest.map(({ text, from, level, ...one }, row) => ({
    x: place(from), xref: 'x', y: 1, yshift: -line_px * row, yref: 'paper', yanchor: 'top', showarrow: false,
    xanchor: from > middle ? 'right' : 'left', align: 'left', borderpad: 2,
    text: escapeHtml(shortened(labelOf({ text, ...one }), most)), hovertext: escapeHtml(text),
    font: { size: palette.kiosk ? 20 : 11, color: palette[level] }, bgcolor: palette.veil,
  }));
}

/** What a mark says on the chart itself. */
function labelOf({ mark, id, severity, kind, name, text }) {
  if (mark === 'note') return `note: ${text}`;
  return mark === 'maintenance' ? `${kind.replaceAll('_', ' ')}: ${name}` : `#${id} ${severity}: ${text.split(': ')[0]}`;
}

const shortened = (text, most) => (text.length <= most ? text : `${text.slice(0, most - 1)}…`);

/** Asks while somebody looks at a chart, for as far back as `span()` says that one of them looks, in ms; `time()` is the
    server's. An answer that does not come leaves what is known. */
export class Incidents {
  all = [];
  #told = '[]';
  #due = 0;
  #span = 0;

  constructor({ ask = askForMarks, isWanted, onChange, span = () => 0, time = Date.now }) {
    Object.assign(this, { ask, isWanted, onChange, span, time });
  }

  async tick(now) {
    const span = this.span();
    if ((now < this.#due && span === this.#span) || !this.isWanted()) return;
    this.#due = now + ASK_MS;
    this.#span = span;
    const found = await this.ask(span > DAY_MS ? { since: Math.floor((this.time() - span) / HOUR_MS) * HOUR_MS } : {});
    const told = JSON.stringify(found);
    if (found === null || told === this.#told) return;
    this.#told = told;
    this.all = found;
    this.onChange();
  }
}

/** The incidents of the last day, or of an interval, oldest first; null where they cannot be had. */
export const askForIncidents = (interval = {}) => ask(interval).then((told) => told && told.incidents);

/** All that charts mark of that time: incidents, then declared maintenance and notes, which name themselves by `mark`. */
export const askForMarks = (interval = {}) => ask(interval).then((told) => told && marksIn(told));

export const marksIn = ({ incidents, maintenance = [], notes = [] }) => [
  ...incidents, ...maintenance.map((one) => ({ ...one, mark: 'maintenance' })), ...notes.map((one) => ({ ...one, mark: 'note' })),
];

function ask(interval) {
  const asked = new URLSearchParams(Object.entries(interval).map(([name, at]) => [name, Math.floor(at)])).toString();
  const answer = fetch(asked ? `${URL}?${asked}` : URL, { signal: AbortSignal.timeout(10_000) });
  return answer.then(async (one) => (one.ok ? one.json() : null)).catch(() => null);
}
