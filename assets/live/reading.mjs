/* Reading: asks the archive for the course of a series, or the changes of a row, a part at a time, the newest first, so
   that what shows it fills while it waits, and one can stop it. */

const BUSY_TRIES = 10, POINTS_MIN = 50;

/** The archive said no, in words for who reads the page. */
export class Refused extends Error {}

/** Reads from `until` back to `since`, a part at a time; `onPart(part, share)` gets each part and how much of the whole is
    read then, and may end it by true. `path(end)` asks for the part before `end`; `ask(path, signal)` answers as `fetch`;
    `later(ms, signal)` waits. Rejects with Refused, or AbortError. */
async function readBack({ ask, later, path, since, until, onPart, signal }) {
  for (let end = until, tries = 0; end > since;) {
    const answer = await ask(path(end), signal);
    signal.throwIfAborted();
    if (answer.status === 503 && (tries += 1) < BUSY_TRIES) {
      await later(1000 * Number(answer.headers.get('Retry-After') ?? 1), signal);
      signal.throwIfAborted();
      continue;
    }
    const part = await answer.json().catch(() => ({}));
    signal.throwIfAborted();
    if (!answer.ok) throw new Refused(REASONS[part.error] ?? part.detail ?? `the server answered ${answer.status}`);
    tries = 0;
    end = part.since;
    if (onPart(part, (until - end) / (until - since)) === true) return;
  }
}

const historyOf = (channel, asked) => `/api/channels/${encodeURIComponent(channel)}/history?${new URLSearchParams(asked)}`;

/** The course of a series, of about `points` a line. */
export function readCourse({ channel, points, since, until, onPart, ...how }) {
  const most = (end) => Math.max(POINTS_MIN, Math.round((points * (end - since)) / (until - since)));
  const path = (end) => historyOf(channel, { since, until: end, points: most(end) });
  return readBack({ ...how, path, since, until, onPart: (part, share) => { onPart(part, share); } });
}

/** The changes of one row, until `onPart` says that it is enough. */
export function readRowChanges({ channel, key, since, ...how }) {
  return readBack({ ...how, since, path: (end) => historyOf(channel, { key, since, until: end }) });
}

const REASONS = { database_down: 'the archive is away', busy: 'the archive is busy', not_signed_in: 'you are signed out', internal_server_error: 'the server failed' };

/** Lets one after the other have its turn, so that a page of many charts asks for one thing at a time. */
export class Turns {
  #last = Promise.resolve();

  take(act) {
    const turn = this.#last.then(act);
    this.#last = turn.catch(() => {});
    return turn;
  }
}
