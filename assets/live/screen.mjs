/* Screen: at which position each channel is on it, for callbacks of a team's own, which are given the channels so. Pure. */

/** `parts` of the page in order; `heldBy(element)` what holds a component still, or undefined; `live(name)` the store's
    channel; `at` the time of a replay, null where the page is live. Of several components that show a channel, the first counts. */
export function screenOf({ parts, heldBy, live, at }) {
  const told = {};
  for (const { element, channels } of parts) {
    for (const name of channels) {
      const position = (heldBy(element)?.get(name) ?? live(name))?.position;
      if (name in told || (at === null && !position)) continue;
      told[name] = at === null ? { epoch: position.epoch, seq: position.seq } : { at: Math.floor(at) };
    }
  }
  return told;
}
