/* Nodes: writes into the page only where something differs, as each write costs a layout. */

const TEXT = 3; // Node.TEXT_NODE

export function setText(node, text) {
  if (!node || node.textContent === text) return;
  const only = node.childNodes.length === 1 ? node.firstChild : null;
  if (only?.nodeType === TEXT) only.data = text; // keeps the node, and what the browser has laid out around it
  else node.textContent = text;
}

export function setData(node, name, text) {
  if (node && node.dataset[name] !== text) node.dataset[name] = text;
}

/** Marks the link of the open page, for eyes and for screen readers. */
export function markLink(document, pathname) {
  for (const link of document.querySelectorAll('#navigation a')) {
    if (new URL(link.href).pathname === pathname) {
      link.setAttribute('aria-current', 'page');
      link.scrollIntoView?.({ block: 'nearest', inline: 'nearest' }); // a phone shows some of them at a time
    } else link.removeAttribute('aria-current');
  }
}

/** A new element with these properties. */
export const make = (tag, properties = {}) => Object.assign(document.createElement(tag), properties);

/** A page none of whose channels (those wanted) ever had an event says so: it may hold a hint how to post the first one. */
export function markEmpty(document, channels) {
  const isEmpty = channels.every(({ state, createdAt }) => state !== null && createdAt === null);
  document.querySelector('.hint')?.parentElement.toggleAttribute('data-empty', isEmpty);
}
