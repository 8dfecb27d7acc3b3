/* The tap: lets us see every frame of the WebSocket component's own socket before the component does.
   Dash merges queued values of one prop, so frames that went through props would be lost. */

const CONTROL = new Set(['hello', 'heartbeat', 'error']);

/** Reads a frame; an object without `op` where it is not one. */
export function readFrame(text) {
  try {
    const frame = JSON.parse(text);
    return frame !== null && typeof frame === 'object' ? frame : {};
  } catch {
    return {};
  }
}

/** Replaces `scope.WebSocket` by a subclass that hands sockets of `path` to `onSocket` and frames to `onFrame`.
    Only control frames go on to the component. Returns the function that takes the tap out again. */
export function installTap(scope, path, { onSocket, onFrame }) {
  const Native = scope.WebSocket;
  scope.WebSocket = class WebSocket extends Native {
    constructor(...given) {
      super(...given);
      if (new URL(this.url).pathname !== path) return;
      this.addEventListener('message', (event) => {
        const frame = readFrame(event.data);
        if (!CONTROL.has(frame.op)) event.stopImmediatePropagation();
        onFrame(this, frame);
      });
      onSocket(this);
    }
  };
  return () => { scope.WebSocket = Native; };
}
