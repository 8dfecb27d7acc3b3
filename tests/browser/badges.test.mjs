/* What opens from a badge or a menu lies on the screen as a whole. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { keepOnScreen } from '../../assets/live/badges.mjs';

const popover = (left, width) => ({ style: { translate: '9px' }, getBoundingClientRect: () => ({ left, right: left + width }) });

test('a popover is moved by what stands out of the screen, and no further', () => {
  const moved = (left) => { const one = popover(left, 400); keepOnScreen(one, 1_000); return one.style.translate; };
  assert.deepEqual([-120, 0, 8, 300, 592, 700].map(moved), ['128px', '8px', '', '', '', '-108px']);
});
