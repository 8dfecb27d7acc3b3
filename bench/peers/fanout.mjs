// Node `ws` as a fan-out: what a team would write instead. It reads the same deltas from the same broker's stream as
// the gateway does (XREAD, blocking), makes each frame once and sends it to every client.
//
//   node fanout.mjs PORT BROKER_SOCKET STREAM CHANNEL DEFLATE      NODE_PATH names the folder that holds `ws`
import { connect } from 'node:net';
import { createRequire } from 'node:module';

const { WebSocketServer, WebSocket } = createRequire(process.env.NODE_PATH + '/')('ws');
const [port, brokerSocket, stream, channel, deflate] = process.argv.slice(2);
const server = new WebSocketServer({ port: Number(port), host: '127.0.0.1', perMessageDeflate: deflate === '1', backlog: 4096 });
const broker = connect(brokerSocket);
let after = '0';
let held = Buffer.alloc(0);

function ask() {
  const parts = ['XREAD', 'BLOCK', '5000', 'COUNT', '200', 'STREAMS', stream, after];
  broker.write(`*${parts.length}\r\n` + parts.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`).join(''));
}

// RESP2, as far as XREAD's answer goes: [value, where it ends], or null where it is not whole yet.
function read(at) {
  const end = held.indexOf('\r\n', at);
  if (end < 0) return null;
  const size = Number(held.toString('latin1', at + 1, end));
  const kind = held[at];
  if (kind === 42) { // *
    if (size < 0) return [null, end + 2];
    const items = [];
    let from = end + 2;
    for (let i = 0; i < size; i += 1) {
      const item = read(from);
      if (item === null) return null;
      items.push(item[0]);
      from = item[1];
    }
    return [items, from];
  }
  if (kind === 36) { // $
    if (size < 0) return [null, end + 2];
    return held.length < end + 4 + size ? null : [held.toString('utf8', end + 2, end + 2 + size), end + 4 + size];
  }
  throw new Error(`broker: ${held.toString('utf8', at, end)}`);
}

function publish([id, [, epoch, , data, , times]]) {
  after = id;
  const seq = Number(id.split('-')[0]);
  const head = `{"op":"delta","channel":"${channel}","epoch":"${epoch}","after":${seq - 1},"seq":${seq},"data":`;
  const frame = Buffer.from(`${head}${data},"times":${times.slice(0, -1)},"sent":${Date.now()}}}`);
  for (const client of server.clients) if (client.readyState === WebSocket.OPEN) client.send(frame, { binary: false });
}

broker.on('data', (chunk) => {
  held = held.length ? Buffer.concat([held, chunk]) : chunk;
  const found = read(0);
  if (found === null) return;
  held = held.subarray(found[1]);
  for (const [, entries] of found[0] ?? []) entries.forEach(publish);
  ask();
});
broker.on('connect', ask);
server.on('listening', () => console.log('ready'));
server.on('connection', (socket) => socket.on('error', () => {}));
