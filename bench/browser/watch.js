/* Put into each page before its own scripts: notes when which value stood on the screen, whoever painted it.
   A change that was made in an animation frame is seen with that frame, any other with the next one; its time is
   that of the first task after the frame. Costs some microseconds a change, which count as the page's. */
(() => {
  const seen = window.benchSeen = []; // [kind, key, shown, at], at in ms since the epoch
  const tasks = window.benchTasks = []; // long tasks, ms
  const interactions = window.benchInteractions = []; // [name, id, ms] of the Event Timing API
  let inFrame = false, waiting = [];
  const native = window.requestAnimationFrame.bind(window);
  window.requestAnimationFrame = (act) => native((at) => {
    inFrame = true;
    queueMicrotask(() => queueMicrotask(() => { inFrame = false; })); // the observer below runs before that
    act(at);
  });
  const after = new MessageChannel();
  after.port1.onmessage = () => {
    const at = performance.timeOrigin + performance.now();
    for (const [kind, key, shown] of waiting.splice(0)) seen.push([kind, key, shown, at]);
  };
  const flush = () => after.port2.postMessage(0);

  const numberOf = (text) => (text ? Number(text.replaceAll(',', '')) : NaN);
  const keys = new WeakMap(); // element of a tile → its key
  function ofTile(node) {
    const section = node.closest('[data-live], [data-early]');
    if (!keys.has(section)) keys.set(section, JSON.parse(section.dataset.live ?? section.dataset.early).key);
    return ['tile', keys.get(section), numberOf(node.textContent)];
  }
  const ofCell = (cell) => ['row', cell.closest('[row-id]')?.getAttribute('row-id'), numberOf(cell.textContent)];
  /** The newest time that each line of a chart shows. */
  const ofGraph = (graph) => graph.data.filter(({ name, x }) => name && x?.length).map(({ name, x }) => ['line', name, x.at(-1)]);

  function look(changes) {
    const found = new Map();
    for (const { target } of changes) {
      const element = target.nodeType === Node.TEXT_NODE ? target.parentElement : target;
      if (!element?.closest) continue; // the document itself
      const value = element.closest('[data-value]'), cell = element.closest('[col-id="serial"]');
      if (value) found.set(value, () => [ofTile(value)]);
      else if (cell?.closest('[row-id]')) found.set(cell, () => [ofCell(cell)]);
      else if (element.classList.contains('js-line')) {
        const graph = element.closest('.js-plotly-plot');
        found.set(graph, () => ofGraph(graph));
      }
    }
    if (found.size === 0) return;
    for (const read of found.values()) waiting.push(...read().filter(([, key, shown]) => key && Number.isFinite(shown)));
    if (inFrame) flush();
    else native(flush);
  }
  new MutationObserver(look).observe(document, { subtree: true, childList: true, characterData: true, attributeFilter: ['d'] });
  new PerformanceObserver((list) => { for (const { duration } of list.getEntries()) tasks.push(duration); }).observe({ type: 'longtask' });
  new PerformanceObserver((list) => {
    for (const { name, duration, interactionId } of list.getEntries()) if (interactionId) interactions.push([name, interactionId, duration]);
  }).observe({ type: 'event', durationThreshold: 16 });
})();
