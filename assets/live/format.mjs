/* Words and numbers as they are shown. Pure, but for the time zone in use. */

import { formatOf } from './zone.mjs';

export const NOTHING = '—';
const MINUS = '−'; // as wide as a digit, so that columns of numbers stay in line
const numbers = new Map();
const CLOCK = { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' };
const ZONED = { ...CLOCK, timeZoneName: 'short' }, DAY = { day: 'numeric', month: 'short' }, DATE = { ...DAY, year: 'numeric' };

/** A number with a fixed count of decimals; without one, at most two. */
export function number(value, decimals = null) {
  if (!numbers.has(decimals)) {
    const places = decimals === null ? { maximumFractionDigits: 2 } : { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
    numbers.set(decimals, new Intl.NumberFormat('en', places));
  }
  return numbers.get(decimals).format(value).replace('-', MINUS);
}

/** A value of a declared type in words; absent values are a dash. */
export function value(raw, { type = 'text', decimals = null } = {}) {
  if (raw === null || raw === undefined || raw === '') return NOTHING;
  if (typeof raw === 'boolean') return raw ? 'yes' : 'no';
  if (type === 'moment') return moment(raw);
  return typeof raw === 'number' ? number(raw, type === 'integer' ? 0 : decimals) : String(raw);
}

/** A number and its unit, joined so that they are not torn apart at a line end. */
export const withUnit = (text, unit) => (unit && text !== NOTHING ? `${text}\u00a0${unit}` : text);

/** Clock time. */
export const clock = (ms) => formatOf('clock', CLOCK).format(ms);

/** Clock time to the millisecond. */
export const exactClock = (ms) => `${clock(ms)}.${String(Math.floor(ms) % 1000).padStart(3, '0')}`;

/** Clock time with the zone's name. */
export const zonedClock = (ms) => formatOf('zoned', ZONED).format(ms);

/** The day of the month. */
export const day = (ms) => formatOf('day', DAY).format(ms);

/** Clock time, with the day where it is not today. */
export function moment(ms, now = Date.now()) {
  const dates = formatOf('date', DATE);
  return dates.format(ms) === dates.format(now) ? clock(ms) : `${day(ms)}, ${clock(ms)}`;
}

/** A length of time: one decimal under ten seconds, whole units after. */
export function duration(ms) {
  const s = Math.max(0, ms) / 1000;
  if (s < 9.95) return `${s.toFixed(1)} s`;
  if (s < 59.5) return `${Math.round(s)} s`;
  if (s < 3570) return `${Math.round(s / 60)} min`;
  return s < 84_600 ? `${Math.round(s / 3600)} h` : `${Math.round(s / 86_400)} d`;
}

/** Plotly reads a limited HTML in names and hover texts; text from data must stay text. */
export const escapeHtml = (text) => String(text).replace(/[&<>"']/g, (found) => `&#${found.charCodeAt(0)};`);
