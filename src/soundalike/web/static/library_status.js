// What the library holds, at the top of the page, and notices that it has changed or that the server is away.

import { KIND_PLURALS, plural } from "./format.js";
import { $ } from "./dom.js";
import { Watch } from "./watch.js";

/**
 * The number of items of a library.
 * @param {Library} library
 */
export const itemCount = ({ counts }) => Object.values(counts).reduce((sum, count) => sum + count, 0);

/** @param {Library} library */
export function showLibrary(library) {
  const { counts, name, encoder, separator, indexing } = library;
  const kinds = /** @type {Kind[]} */ (Object.keys(KIND_PLURALS)).filter((one) => counts[one]);
  $("library").textContent = `${name}: ${kinds.map((one) => plural(counts[one] ?? 0, one)).join(", ") || "empty"}`;
  $("library").title = `encoder ${encoder}, separator ${separator}`;
  $("add-folder").hidden = !indexing; // the card of an empty library hides it too
}

/**
 * @param {string} message
 * @param {{ reload?: boolean }} [options] reload: offer to reload the library
 */
function showNotice(message, { reload = false } = {}) {
  $("notice-text").textContent = message;
  $("notice-reload").hidden = !reload;
  $("notice").hidden = false;
}

export const hideNotice = () => ($("notice").hidden = true);

/**
 * What is watched of a library.
 * @param {Library} library
 * @returns {LibraryState}
 */
export const watched = (library) => ({ state: library.state, items: itemCount(library) });

/**
 * Shows when the library has changed, or the server is away. onBack: it answers again.
 * @param {Library} library
 * @param {() => void} onBack
 */
export function watchLibrary(library, onBack) {
  return new Watch({
    shown: watched(library),
    onChange: ({ now, before }) => {
      showNotice(now > before ? `${plural(now - before, "new file")} indexed.` : "The library has changed.", { reload: true });
    },
    onGone: (message) => showNotice(`${message} Trying again …`),
    onBack: () => {
      hideNotice();
      onBack();
    },
  });
}
