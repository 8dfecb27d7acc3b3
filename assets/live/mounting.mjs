/* Mounting: Dash tells of new components before React has put them on the page, and replaces a page at any time: here the
   page is looked at until everything that was told of is there. */

const RESCAN_FRAMES = 120, RESCAN_MS = 16;

export class Mounting {
  #expected = []; // ids of the badges that Dash says are on the page

  constructor({ scope, binding, rescan }) { Object.assign(this, { scope, binding, rescan }); }

  /** These badges are on the page, or will be in a moment. */
  expect(badges) {
    this.#expected = badges;
    this.#look(RESCAN_FRAMES);
  }

  /** Whoever replaces the page binds it in the same task; Dash's callback comes some tasks later. */
  watch() {
    const content = this.scope.document.getElementById('_pages_content');
    if (content) new MutationObserver(() => this.rescan()).observe(content, { childList: true });
  }

  #look(frames) {
    this.rescan();
    const isMissing = this.#expected.some(({ channel }) => !this.binding.declares(channel)) || this.#expected.length > this.binding.size;
    if (isMissing && frames > 0) this.scope.setTimeout(() => this.#look(frames - 1), RESCAN_MS);
  }
}
