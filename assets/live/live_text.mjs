/* The painter of a text with live values in it. */

import { NOTHING, value as inWords, withUnit } from './format.mjs';
import { make, setData, setText } from './nodes.mjs';
import { levelOf } from './tile.mjs';

export const liveText = {
  mount(place, { options: { parts } }) {
    const text = make('p', { className: 'live-text' });
    const values = parts.map((part) => (typeof part === 'string' ? null : make('strong')));
    text.append(...parts.map((part, i) => values[i] ?? part));
    place.append(text);
    return values;
  },

  paint(values, { spec: { options: { parts } }, state, also }) {
    const states = [state, ...also.map((one) => one.state)];
    parts.forEach((part, i) => {
      if (values[i] === null) return;
      const raw = states[part.of]?.rows?.get(part.key)?.[part.field], shown = typeof raw === 'number' ? raw * part.scale : raw, text = inWords(shown, part);
      setText(values[i], text === NOTHING ? text : withUnit(text, part.unit));
      setData(values[i], 'level', levelOf(shown, part.thresholds, part.direction));
    });
  },

  rows({ options: { parts } }, { rows }) {
    const own = parts.filter((part) => part.of === 0), keys = [...new Set(own.map(({ key }) => key))].filter((key) => rows.has(key));
    return { columns: ['key', ...new Set(own.map(({ field }) => field)), 'created_at'], rows: keys.map((key) => ({ key, ...rows.get(key) })) };
  },
};
