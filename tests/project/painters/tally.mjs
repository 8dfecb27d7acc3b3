/* Tally: how many rows there are, and how many changes it was told of. */

import { make, setText } from '../nodes.mjs';

headwater.painter('tally', {
  mount(place) {
    const rows = make('p', { className: 'tally-rows' });
    place.append(rows);
    return { rows, told: new Set() };
  },

  paint(own, { state, changed }) {
    for (const key of changed === true ? state.rows.keys() : changed) own.told.add(key);
    setText(own.rows, `${state.rows.size} rows, ${own.told.size} told`);
  },
});
