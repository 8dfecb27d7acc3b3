/* Release: a page that is older or newer than its server loads itself anew, once. The same release may try again after
   an hour, so that a wall screen gets over a deployment by itself and no page ever reloads in a loop. */

export const PROTOCOL = 1;
const KEY = 'headwater-reloaded', AGAIN_MS = 3_600_000;

export class Release {
  /** `own` names the release of these modules; `scope` gives sessionStorage and location; `wall()` ms since the epoch. */
  constructor({ own, scope, wall }) {
    Object.assign(this, { own, scope, wall });
  }

  /** Reloads the page unless this very release did so within the hour; returns whether it does. */
  reload() {
    const former = this.#read(), at = this.wall();
    if (former === null) return false; // without storage there is no telling a loop from a first time
    if (former.own === this.own && Math.abs(at - former.at) < AGAIN_MS) return false;
    this.scope.sessionStorage.setItem(KEY, JSON.stringify({ own: this.own, at }));
    this.scope.location.reload();
    return true;
  }

  /** The connection ended for this reason: another release is loaded, who is signed out goes to the sign-in, and from
      there back to what was shown. */
  ended(cause) {
    const { location } = this.scope;
    if (cause === 'refused') this.reload();
    if (cause === 'signed_out') location.assign(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
  }

  #read() {
    try {
      return JSON.parse(this.scope.sessionStorage.getItem(KEY)) ?? { own: null, at: 0 };
    } catch {
      return null;
    }
  }

  /** Loads the page anew where the server no longer has these modules. */
  async check() {
    const answer = await this.scope.fetch(this.own, { method: 'HEAD', cache: 'no-store' }).catch(() => null);
    if (answer?.status === 404) this.reload();
  }
}
