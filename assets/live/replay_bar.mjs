/* The bar of a replay: says that the page is not live and which time it shows, and takes hands: play, step, speed, time,
   incidents, back to live. It stands outside of what Dash draws, so that no callback can take it away. */

import { day, zonedClock } from './format.mjs';
import { make, setText } from './nodes.mjs';
import { SPEEDS } from './replay.mjs';

const LEAD_MS = 30_000, AFTER_MS = 600_000; // a replay of an incident begins so long before it and ends so long after it
const BUSY = 'input, select, textarea, button, summary, a, dialog, [contenteditable], .ag-root, [role="grid"]';
const SHORT = 70;

export class ReplayBar {
  #parts = {};
  #isDragging = false;

  constructor({ player, scope, leave, go }) {
    Object.assign(this, { player, leave, go, document: scope.document });
    this.#build();
    this.document.addEventListener('keydown', (event) => this.#onKey(event));
  }

  /** Offers incidents to jump to, newest first. */
  offer(incidents) {
    const { jump } = this.#parts;
    jump.replaceChildren(make('option', { value: '', textContent: incidents.length ? 'Jump to an incident' : 'No incidents' }));
    jump.disabled = incidents.length === 0;
    for (const one of [...incidents].reverse()) {
      const text = `${momentInWords(one.began_at)} · ${one.severity}: ${one.text}`;
      jump.append(make('option', { value: `${one.began_at - LEAD_MS}:${one.until + AFTER_MS}`, textContent: shortened(text) }));
    }
  }

  draw() {
    const { player } = this, parts = this.#parts, { loading } = player;
    const time = momentInWords(player.at);
    setText(parts.time, time);
    const next = player.isPlaying ? 'Pause the replay' : 'Play';
    setText(parts.play, next);
    if (parts.play.title !== next) parts.play.title = next;
    parts.play.disabled = player.isOver;
    parts.play.dataset.icon = player.isPlaying ? 'pause' : 'play';
    parts.back.disabled = player.at <= player.from;
    parts.forth.disabled = player.isOver;
    if (parts.speed.value !== String(player.speed)) parts.speed.value = String(player.speed);
    parts.scrub.min = String(player.from);
    parts.scrub.max = String(player.end);
    if (!this.#isDragging) parts.scrub.value = String(Math.round(player.at));
    parts.scrub.setAttribute('aria-valuetext', time);
    setText(parts.begin, momentInWords(player.from));
    setText(parts.end, momentInWords(player.end));
    parts.bar.dataset.loading = String(loading !== null || player.isWaiting);
    parts.progress.hidden = loading === null;
    parts.cancel.hidden = loading === null;
    if (loading !== null && loading.of > 0) { parts.progress.max = loading.of; parts.progress.value = loading.done; }
    else parts.progress.removeAttribute('value');
    setText(parts.said, this.#said());
  }

  /** How it is going: one sentence that a screen reader hears when it changes. */
  #said() {
    const { player } = this;
    if (player.loading !== null) return 'Loading the recording';
    if (player.isWaiting) return 'Waiting for the recording';
    if (player.trouble) return `Not loaded: ${player.trouble}`;
    const how = new Set(player.channels.map((name) => player.how(name)));
    if (player.isOver) return 'End of the interval';
    if (how.has('recomputed')) return how.size === 1 ? 'Recomputed from events' : 'In part recomputed from events';
    return how.has('recorded') || how.size === 0 ? 'As recorded' : 'Nothing is kept of this time';
  }

  #build() {
    const parts = this.#parts = {
      bar: make('section', { className: 'replay-bar' }), time: make('time', { className: 'replay-time' }),
      said: make('span', { className: 'replay-said' }), progress: make('progress', { hidden: true }),
      cancel: button('Cancel', () => this.player.cancel()), play: button('Play', () => this.#toggle(), 'play'),
      back: button('Previous change', () => this.player.stepBack(), 'back'),
      forth: button('Next change', () => this.player.stepForward(), 'forth'),
      speed: make('select'), scrub: make('input', { type: 'range', step: '1000' }),
      begin: make('span'), end: make('span'), jump: make('select', { disabled: true }),
      leave: button('Back to live', () => this.leave()),
    };
    parts.bar.setAttribute('aria-label', 'Replay');
    parts.said.setAttribute('role', 'status');
    parts.progress.setAttribute('aria-label', 'Loading the recording');
    parts.speed.setAttribute('aria-label', 'Speed');
    parts.scrub.setAttribute('aria-label', 'Time');
    parts.jump.setAttribute('aria-label', 'Jump to an incident');
    parts.leave.classList.add('replay-leave');
    for (const speed of SPEEDS) parts.speed.append(make('option', { value: String(speed), textContent: `${speed}×` }));
    parts.speed.addEventListener('change', () => this.player.setSpeed(Number(parts.speed.value)));
    parts.scrub.addEventListener('input', () => { this.#isDragging = true; setText(parts.time, momentInWords(Number(parts.scrub.value))); });
    parts.scrub.addEventListener('change', () => { this.#isDragging = false; void this.go(Number(parts.scrub.value)); });
    parts.jump.addEventListener('change', () => this.#jump());
    const title = make('p', { className: 'replay-title' });
    title.append(make('strong', { textContent: 'Replay' }), ' ', parts.time, ' ', make('strong', { textContent: 'not live' }));
    const hands = group('replay-hands', parts.back, parts.play, parts.forth, parts.speed);
    const scale = group('replay-scale', parts.begin, parts.scrub, parts.end);
    const news = group('replay-news', parts.said, parts.progress, parts.cancel);
    parts.bar.append(title, news, hands, scale, group('replay-ways', parts.jump, parts.leave));
    this.offer([]);
    this.document.body.append(parts.bar);
    this.draw();
  }

  #toggle() {
    if (this.player.isPlaying) this.player.pause();
    else this.player.play();
  }

  #jump() {
    const { jump } = this.#parts, [at, until] = jump.value.split(':').map(Number);
    jump.value = '';
    if (until > 0) void this.go(at, until);
  }

  /** Space plays and pauses, arrows step, wherever they mean nothing else. */
  #onKey(event) {
    const { key, target } = event;
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || target.closest?.(BUSY)) return;
    if (key === ' ') this.#toggle();
    else if (key === 'ArrowLeft') void this.player.stepBack();
    else if (key === 'ArrowRight') void this.player.stepForward();
    else return;
    event.preventDefault();
  }
}

const momentInWords = (ms) => `${day(ms)}, ${zonedClock(ms)}`;
const shortened = (text) => (text.length > SHORT ? `${text.slice(0, SHORT - 1)}…` : text);

function group(className, ...nodes) {
  const made = make('div', { className });
  made.append(...nodes);
  return made;
}

/** A button; one with an icon shows that, and says its words to who cannot see it. */
function button(words, act, icon = '') {
  const made = make('button', { type: 'button', textContent: words, title: words });
  if (icon) made.dataset.icon = icon;
  made.addEventListener('click', act);
  return made;
}
