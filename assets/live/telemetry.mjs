/* Telemetry of this viewer: latency between stages, and counts of what should not happen. Bounded; no clock. */

const RECENT = 512;

/** p50, p95 and how many values there were; zeros where there were none. */
export function percentiles(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (q) => (sorted.length ? Math.round(10 * sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]) / 10 : 0);
  return { p50: at(0.5), p95: at(0.95), n: sorted.length };
}

/** The newest RECENT values; `n` counts all. */
class Recent {
  constructor() { this.clear(); }

  clear() { Object.assign(this, { values: [], n: 0 }); }

  add(one) {
    this.values[this.n % RECENT] = one;
    this.n += 1;
  }

  summary() { return { ...percentiles(this.values), n: this.n }; }
}

export const STAGES = ['created_received', 'sent_received', 'received_painted', 'created_painted', 'created_charted'];
export const COUNTS = ['frames', 'snapshots', 'gaps', 'duplicates', 'reconnects'];

export class Telemetry {
  constructor() {
    const stages = () => Object.fromEntries(STAGES.map((name) => [name, new Recent()]));
    this.all = stages();
    this.fresh = stages();
    this.counts = Object.fromEntries(COUNTS.map((name) => [name, 0]));
    this.reported = { ...this.counts };
  }

  /** Milliseconds between two stages. The clock's error may put a stage before its cause: that counts as 0; without
      a clock nothing is counted. */
  observe(stage, ms) {
    if (!Number.isFinite(ms)) return;
    this.all[stage].add(Math.max(0, ms));
    this.fresh[stage].add(Math.max(0, ms));
  }

  count(name) { this.counts[name] += 1; }

  /** The report since the last one, as the gateway reads it. */
  report(visible) {
    const since = Object.fromEntries(COUNTS.map((name) => [name, this.counts[name] - this.reported[name]]));
    const stage = (name) => this.fresh[name].summary();
    const report = {
      op: 'report', received_ms: stage('created_received'), transit_ms: stage('sent_received'),
      painted_ms: stage('created_painted'), charted_ms: stage('created_charted'), ...since, visible,
    };
    this.reported = { ...this.counts };
    for (const recent of Object.values(this.fresh)) recent.clear();
    return report;
  }

  /** Everything since the page was opened, for tests and benchmarks. */
  stats() {
    return { ...this.counts, ...Object.fromEntries(STAGES.map((name) => [`${name}_ms`, this.all[name].summary()])) };
  }
}
