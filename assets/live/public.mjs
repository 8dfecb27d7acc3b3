/* The public names for a team's own clientside callbacks, for tests and for benchmarks. */

/** `props()` is how many props the callbacks were given. */
export function publicNames({ store, telemetry, connection, loop, clock, now, props, painters, screen }) {
  return {
    /** At which position each channel is on the screen; goes with each callback that the server runs. */
    screen,
    /** Makes a painter of a team's own component known: {mount(place, spec), paint(own, seen), rows?(spec, state)}. */
    painter: (name, painter) => painters.add(name, painter),
    /** The present state of a channel as a plain object; null where it is not known. */
    channel(name) {
      const channel = store.get(name);
      return channel?.state ? { kind: channel.kind, created_at: channel.createdAt, ...channel.state.data() } : null;
    },
    /** State and position of a channel, comparable with the server's snapshot. */
    state(name) {
      const channel = store.get(name);
      return channel?.state ? { ...(channel.position ?? { epoch: null, seq: null }), data: channel.state.data() } : null;
    },
    /** Stages, counts, the link and the paint loop. */
    stats() {
      const { state, cause, opened, attempt } = connection;
      return { ...telemetry.stats(), link: { state, cause, opened, attempt }, animation_frames: loop.frames, props: props(),
        clock_error_ms: clock.best.trip / 2, channels: store.wanted().map(({ name }) => name) };
    },
    /** The server's time, ms since the epoch; in a replay the time that is shown. */
    now: () => clock.at(now()),
  };
}
