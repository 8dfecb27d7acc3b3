/* Broken: what a mistake of its author does to its own component, and to no other. */

headwater.painter('broken', {
  mount() {},
  paint() { throw new Error('<b>oh</b>'); },
});
