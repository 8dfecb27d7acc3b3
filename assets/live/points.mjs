/* Points of one series, in columns {t, v}, as painters want them: a part, with holes, or fewer. Pure. */

/** The part of a series that lies within `span_ms` before its newest point. */
export function within(series, span_ms) {
  const { t, v } = series ?? { t: [], v: [] };
  const from = t.findIndex((at) => at >= t[t.length - 1] - (span_ms || Infinity));
  return from <= 0 ? { t, v } : { t: t.slice(from), v: v.slice(from) };
}

/** The same points with a hole wherever two are further apart than `gap_ms`: no line over time without values. */
export function withGaps({ t, v }, gap_ms) {
  const isGap = (i) => i > 0 && t[i] - t[i - 1] > gap_ms;
  if (!gap_ms || !t.some((_, i) => isGap(i))) return { t, v };
  const holed = { t: [], v: [] };
  t.forEach((at, i) => {
    if (isGap(i)) { holed.t.push(t[i - 1] + 1); holed.v.push(null); }
    holed.t.push(at);
    holed.v.push(v[i]);
  });
  return holed;
}

/** At most about `most` points that keep every peak: of each stretch the least and the greatest value, and its gap;
    the last point stays, as it may be of an open window. */
export function thinned({ t, v }, most) {
  const stretch = Math.ceil((2 * t.length) / most);
  if (t.length <= most || stretch < 3) return { t, v };
  const kept = { t: [], v: [] };
  for (let from = 0; from < t.length; from += stretch) {
    const to = Math.min(from + stretch, t.length);
    let low = -1, high = -1, gap = -1;
    for (let i = from; i < to; i += 1) {
      if (v[i] === null) gap = i;
      else {
        if (low === -1 || v[i] < v[low]) low = i;
        if (high === -1 || v[i] >= v[high]) high = i;
      }
    }
    const last = to === t.length ? to - 1 : -1;
    for (const i of [...new Set([low, high, gap, last])].filter((one) => one !== -1).sort((a, b) => a - b)) {
      kept.t.push(t[i]);
      kept.v.push(v[i]);
    }
  }
  return kept;
}
