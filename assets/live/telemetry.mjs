/* Telemetry of this viewer: latency between stages, and counts of what should not happen. Bounded; no clock. */

import { Sketch } from './sketch.mjs';

/** Charts are drawn at most each 250 ms, so they are counted apart from what is painted at once. */
export const STAGES = ['created_to_received', 'sent_to_received', 'received_to_painted', 'created_to_painted', 'created_to_charted'];
const LINES_MAX = 400; // of one report: more are passed over there
const SAMPLES_MAX = 8, SAMPLES_OF_A_CHANNEL = 2;
export const COUNTS = ['frames', 'snapshots', 'gaps', 'duplicates', 'reconnects'];

const sketches = () => Object.fromEntries(STAGES.map((stage) => [stage, new Sketch()]));
const inMs = (seconds) => (seconds === null ? null : Math.round(seconds * 10_000) / 10);

/** A sketch in words: p50, p95 and p99 in ms, null where nothing was counted, and the count. */
export function summary(sketch) {
  const at = (q) => inMs(sketch.quantile(q));
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99), n: sketch.count };
}

export class Telemetry {
  constructor() {
    this.all = sketches();
    this.fresh = sketches();
    this.lines = new Map(); // stage, channel, page and transport → sketch
    this.samples = []; // frames that were painted, the newest of each channel
    this.counts = Object.fromEntries(COUNTS.map((name) => [name, 0]));
    this.reported = { ...this.counts };
  }

  /** Milliseconds between two stages. The clock's error may put a stage before its cause: that counts as 0; without
      a clock nothing is counted. */
  observe(stage, ms) {
    if (!Number.isFinite(ms)) return;
    for (const sketch of [this.all[stage], this.fresh[stage]]) sketch.add(Math.max(0, ms) / 1000);
  }

  /** The same for the contract: by [stage, channel, page, transport], so many times. */
  note(key, ms, times = 1) {
    const name = JSON.stringify(key);
    if (!Number.isFinite(ms) || (this.lines.size >= LINES_MAX && !this.lines.has(name))) return;
    if (!this.lines.has(name)) this.lines.set(name, new Sketch());
    this.lines.get(name).add(Math.max(0, ms) / 1000, times);
  }

  /** A frame that was painted: its channel first. The newest count, two of a channel, so that each is heard of. */
  sample(painted) {
    const same = this.samples.filter(([channel]) => channel === painted[0]);
    const gone = same.length >= SAMPLES_OF_A_CHANNEL ? same[0] : this.samples.length >= SAMPLES_MAX ? this.samples[0] : null;
    this.samples = [...this.samples.filter((one) => one !== gone), painted];
  }

  count(name) { this.counts[name] += 1; }

  /** The report since the last one; `stages` holds a sketch in seconds for each stage that was seen. */
  report(visible) {
    const seen = STAGES.filter((stage) => this.fresh[stage].count > 0);
    const report = {
      op: 'report',
      received_ms: summary(this.fresh.created_to_received),
      painted_ms: summary(this.fresh.created_to_painted),
      stages: Object.fromEntries(seen.map((stage) => [stage, this.fresh[stage].asJson()])),
      lines: [...this.lines].map(([key, sketch]) => {
        const [stage, channel, page, transport] = JSON.parse(key);
        return [stage, channel, page, sketch.asJson(), ...(transport === 'socket' ? [] : [transport])];
      }),
      ...Object.fromEntries(COUNTS.map((name) => [name, this.counts[name] - this.reported[name]])),
      visible,
      ...(this.samples.length > 0 ? { samples: this.samples } : {}),
    };
    this.samples = [];
    this.reported = { ...this.counts };
    this.fresh = sketches();
    this.lines = new Map();
    return report;
  }

  /** Everything since the page was opened, for tests and benchmarks. */
  stats() {
    return { ...this.counts, ...Object.fromEntries(STAGES.map((stage) => [`${stage}_ms`, summary(this.all[stage])])) };
  }
}
