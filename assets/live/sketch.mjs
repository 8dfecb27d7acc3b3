/* Sketch: quantiles within 1 %, in the same bins as services/sketch.py, so that a viewer's latencies can be merged
   with everybody's. Pure. */

const ACCURACY = 0.01, GAMMA = (1 + ACCURACY) / (1 - ACCURACY), LOG_GAMMA = Math.log(GAMMA), SMALLEST = 1e-9;

export class Sketch {
  bins = new Map();
  zeros = 0;
  count = 0;

  /** Counts a value that is not negative. */
  add(value, times = 1) {
    this.count += times;
    if (value < SMALLEST) {
      this.zeros += times;
      return;
    }
    const bin = Math.ceil(Math.log(value) / LOG_GAMMA);
    this.bins.set(bin, (this.bins.get(bin) ?? 0) + times);
  }

  /** The value at rank q (0 to 1), or null where nothing was counted. */
  quantile(q) {
    if (this.count === 0) return null;
    const rank = q * (this.count - 1);
    let passed = this.zeros;
    if (passed > rank) return 0;
    for (const [bin, times] of this.#sorted()) {
      passed += times;
      if (passed > rank) return (2 * Math.exp(bin * LOG_GAMMA)) / (GAMMA + 1);
    }
    return null;
  }

  /** [zeros, [bin, count, …], [negative bins: none]] as `Sketch.from_json` reads it. */
  asJson() { return [this.zeros, this.#sorted().flat(), []]; }

  #sorted() { return [...this.bins].sort((a, b) => a[0] - b[0]); }
}
