/* Picture: a chart as a PNG of its own, with its title above and, below, of which position and time it is. */

import { escapeHtml } from './format.mjs';

const WIDTH_MIN = 640, HEIGHT_MIN = 360, SCALE = 2;
const TITLE_PX = 44, STAMP_PX = 30, LINE_PX = 15, LETTER_PX = 6.2;

/** Lines of at most so many letters, cut between words. */
export function wrapped(lines, most) {
  return lines.flatMap((line) => line.split(' ').reduce((done, word) => {
    const last = done.at(-1), joined = last === undefined ? word : `${last} ${word}`;
    return last !== undefined && joined.length > most ? [...done, word] : [...done.slice(0, -1), joined];
  }, []));
}

/** The layout of the picture: the open page's colours, which a picture cannot take from its style sheet. */
export function pictureLayout(layout, { title, stamp, width, height, palette, font }) {
  const margin = layout.margin ?? {},
    axis = (name) => {
      const { range, ...own } = layout[name] ?? {}; // a range that Plotly found is found anew for all that is drawn
      return { ...own, ...(own.autorange === false ? { range } : {}), color: palette.muted, gridcolor: palette.line };
    };
  const lines = wrapped(stamp, (width - 64) / LETTER_PX);
  const note = { text: lines.map(escapeHtml).join('<br>'), showarrow: false, xref: 'paper', yref: 'paper', x: 0, y: 0,
    xanchor: 'left', yanchor: 'top', align: 'left', yshift: -STAMP_PX, font: { size: 11, color: palette.muted, family: font } };
  return {
    ...layout, width, height, autosize: false, paper_bgcolor: palette.surface, plot_bgcolor: palette.surface,
    font: { ...layout.font, family: font, color: palette.muted },
    title: { text: escapeHtml(title), x: 0, xref: 'paper', xanchor: 'left', y: 1, yref: 'container', yanchor: 'top',
      pad: { t: 14, l: 4 }, font: { size: 16, family: font, color: palette.text } },
    legend: { ...layout.legend, font: { color: palette.text, family: font } },
    margin: { ...margin, l: 16, r: 24, t: TITLE_PX + (layout.showlegend ? 24 : 0), b: STAMP_PX + LINE_PX * lines.length + 8 },
    xaxis: axis('xaxis'), yaxis: axis('yaxis'), annotations: [...(layout.annotations ?? []), note],
  };
}

/** The chart as a PNG; rejects where Plotly cannot draw it. */
export async function picture(Plotly, graph, given) {
  const { width, height } = graph.getBoundingClientRect();
  const size = { width: Math.max(WIDTH_MIN, Math.round(width)), height: Math.max(HEIGHT_MIN, Math.round(height) + STAMP_PX + LINE_PX) };
  const layout = pictureLayout(graph.layout, { ...given, ...size });
  // what is switched off in the legend is off in the picture as well
  const data = graph.data.map((trace, i) => ({ ...trace, visible: graph._fullData?.[i]?.visible ?? true }));
  const url = await Plotly.toImage({ data, layout, config: {} }, { format: 'png', scale: SCALE, ...size });
  const bytes = Uint8Array.from(atob(url.slice(url.indexOf(',') + 1)), (letter) => letter.charCodeAt(0));
  return new Blob([bytes], { type: 'image/png' }); // the content policy bars a fetch of what is in the address
}
