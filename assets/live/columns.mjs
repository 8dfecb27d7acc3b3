/* Columns: as wide as what stands in them. Where all have room they share what is left over, each by its width; where they
   have not, each keeps its own and the table scrolls. What a reader has widened stays as it is. */

const ROWS = 60; // so many rows are looked at: those on the screen, and some
const PAD_PX = 19, MOST_PX = 400, REST_MS = 5_000; // of one cell; of one column; between two looks at what has changed

/** The state of columns that need so much: [[colId, px]], within so much room. */
export function stateOfWidths(needs, room_px) {
  const isRoomy = needs.reduce((sum, [, px]) => sum + px, 0) <= room_px;
  return needs.map(([colId, px]) => (isRoomy ? { colId, flex: px } : { colId, flex: null, width: px }));
}

/** Keeps the columns of a grid fitted to its rows and its room. */
export function keepFitted(api, { document, getComputedStyle }) {
  const pen = document.createElement('canvas').getContext('2d');
  const known = new Map(); // column → the most that it has needed, so that no column becomes narrower by a new value
  let room = 0, isReaders = false, waiting = null;
  const fit = () => {
    waiting = null;
    if (api.isDestroyed()) return;
    const frame = document.querySelector(`[grid-id="${api.getGridId()}"]`), cell = frame?.querySelector('.ag-cell:not(.cell-open)');
    if (isReaders || !cell) return;
    pen.font = getComputedStyle(cell).font;
    const columns = api.getAllDisplayedColumns(), isFixed = (column) => column.getColDef().maxWidth !== undefined;
    const rest = columns.filter(isFixed).reduce((sum, column) => sum + column.getActualWidth(), 0);
    const needs = columns.filter((column) => !isFixed(column)).map((column) => [column.getColId(), needOf(api, column, pen)]);
    const isGrown = needs.map(([colId, px]) => px > (known.get(colId) ?? 0) && known.set(colId, px)).some(Boolean);
    if (!isGrown && room === frame.clientWidth - rest) return;
    room = frame.clientWidth - rest;
    api.applyColumnState({ state: stateOfWidths(needs.map(([colId]) => [colId, known.get(colId)]), room) });
  };
  const look = () => { if (api.getDisplayedRowCount() > 0) waiting ??= setTimeout(fit, known.size > 0 ? REST_MS : 0); };
  const again = () => { room = 0; clearTimeout(waiting); waiting = setTimeout(fit, 0); };
  api.addEventListener('modelUpdated', look);
  for (const event of ['gridSizeChanged', 'columnVisible']) api.addEventListener(event, again);
  api.addEventListener('columnResized', ({ source }) => { if (source === 'uiColumnResized') isReaders = true; });
  look();
}

/** The widest of a column's first rows, and no less than its declared least. */
function needOf(api, column, pen) {
  let widest = column.getColDef().minWidth ?? 0;
  for (let i = 0; i < Math.min(ROWS, api.getDisplayedRowCount()); i += 1) {
    const text = api.getCellValue({ rowNode: api.getDisplayedRowAtIndex(i), colKey: column, useFormatter: true });
    widest = Math.max(widest, Math.ceil(pen.measureText(String(text ?? '')).width) + PAD_PX);
  }
  return Math.min(widest, MOST_PX);
}
