/* Props: hands values over to Dash, and lets it forget the former ones. Dash keeps every value that an input ever had,
   for an undo that nobody is shown, and copies all of them each time; at several a second, a page that stays open for
   days would grow and slow down without end. */

/** A list that the document holds for us: the channels of the page that is being loaded, a team's painters. */
export function readList(document, name) {
  const named = document.querySelector(`meta[name="${name}"]`);
  return named ? JSON.parse(named.content) : [];
}

/** Whether a callback has this prop as its input. */
export function hasListeners(scope, id, prop) {
  const known = scope.dash_stores?.[0]?.getState().graphs?.inputMap;
  return known === undefined || (known[id]?.[prop]?.length ?? 0) > 0;
}

/** Sets props of a component, as a clientside callback would. `scope` is the window. */
export function setProps(scope, id, props) {
  scope.dash_clientside.set_props(id, props);
  for (const store of scope.dash_stores ?? []) {
    const past = store.getState().history?.past;
    if (past?.length) past.length = 0;
  }
}
