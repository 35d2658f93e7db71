// On narrow screens one view at a time: reference, weights, hits or map, chosen with tabs. And the dialog of keys.

import { dialogById, setPressed } from "./dom.js";

/** @param {string} view */
export function showView(view) {
  document.body.dataset.view = view;
  for (const tab of document.querySelectorAll("#views button")) {
    setPressed(/** @type {HTMLElement} */ (tab), /** @type {HTMLElement} */ (tab).dataset.view === view);
  }
}

/** @param {(view: string) => void} onView a tab was pressed */
export function listenToViews(onView) {
  for (const tab of document.querySelectorAll("#views button")) {
    tab.addEventListener("click", () => {
      const { view = "results" } = /** @type {HTMLElement} */ (tab).dataset;
      showView(view);
      onView(view);
    });
  }
}

export const showHelp = () => dialogById("help").showModal();
