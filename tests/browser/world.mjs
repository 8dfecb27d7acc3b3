/* A connection in a world of the test's own: a clock that it advances, sockets that it plays, chance that it chooses. */

import { ServerClock } from '../../assets/live/clock.mjs';
import { Connection } from '../../assets/live/connection.mjs';

class FakeSocket extends EventTarget {
  readyState = 0;
  sent = [];

  send(text) { this.sent.push(JSON.parse(text)); }

  close(code, reason) { this.closedWith = { code, reason }; }

  fire(type, fields = {}) {
    if (type === 'open') this.readyState = 1;
    if (type === 'close') this.readyState = 3;
    this.dispatchEvent(Object.assign(new Event(type), fields));
  }
}

/** A connection with a clock that tests advance; `world.random` is what chance gives. */
export function makeWorld() {
  const world = { now: 1_000, random: 0.5, urls: [], timers: [], frames: [], status: 200, asked: 0, online: true };
  world.poll = { running: false, start() { this.running = true; }, stop() { this.running = false; }, again() {} };
  world.connection = new Connection({
    socketUrl: (n) => `/live?try=${n}`,
    setUrl: (url) => world.urls.push(url),
    askSession: async () => { world.asked += 1; return world.status; },
    later: (act, ms) => world.timers.push({ act, at: world.now + ms }),
    now: () => world.now,
    random: () => world.random,
    isOnline: () => world.online,
    clock: new ServerClock(),
    poll: world.poll,
    onOpen() { world.connection.send({ op: 'subscribe', channels: {} }); },
    onFrame: (frame) => world.frames.push(frame),
    onChange() {},
  });
  world.advance = (ms) => {
    const until = world.now + ms;
    for (;;) {
      world.timers.sort((a, b) => a.at - b.at);
      if (!world.timers.length || world.timers[0].at > until) break;
      const { act, at } = world.timers.shift();
      world.now = at;
      act();
    }
    world.now = until;
  };
  world.socket = () => {
    const socket = new FakeSocket();
    world.connection.adopt(socket);
    return socket;
  };
  world.open = () => {
    const socket = world.socket();
    socket.fire('open');
    world.say(socket, { op: 'hello', heartbeat_s: 1, server_time: 5_000 });
    return socket;
  };
  world.say = (socket, frame) => world.connection.frame(socket, frame);
  return world;
}

/** Lets promises go on. */
export const settle = () => new Promise((resolve) => { setImmediate(resolve); });
