// Keyboard shortcuts. They do not apply where a key has another meaning: in text fields, and for arrows, space and Enter on
// controls.

import { goToHits } from "./tab_stops.js";

const CONTROL_KEYS = new Set(["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "Home", "End", "PageUp", "PageDown", "Enter", " "]);

/**
 * actions: by key as named by events, letters in lower case.
 * @param {Record<string, () => unknown>} actions
 */
export function listen(actions) {
  // A button that was clicked with a mouse gives the keys back: space plays and pauses, it does not press the button again.
  document.addEventListener("click", (event) => {
    const { activeElement } = document; // a pad that was clicked has been replaced by another one
    const byMouse = /** @type {PointerEvent} */ (event).pointerType === "mouse";
    if (byMouse && activeElement instanceof HTMLButtonElement && !activeElement.closest("dialog")) activeElement.blur();
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const { key } = event;
    const target = /** @type {Element} */ (event.target);
    if (target.matches("select, textarea, input:not([type=radio], [type=range], [type=checkbox])")) {
      // From the filters, arrow down leads to the list.
      if (key === "ArrowDown" && target.closest("#filters")) {
        event.preventDefault();
        goToHits();
      }
      return;
    }
    if (CONTROL_KEYS.has(key) && target.matches("button, input, summary, a, [role=button]")) return;
    const action = actions[key.length === 1 ? key.toLowerCase() : key];
    if (!action) return;
    event.preventDefault();
    action();
  });
}
