// Keys. A key does nothing of this where it has a meaning of its own: in fields, and arrows, space and Enter on controls.

import { $ } from "./dom.js";

const OWN = new Set(["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "Home", "End", "PageUp", "PageDown", "Enter", " "]);

// actions: {key: action}, keys as events name them, letters small.
export function listen(actions) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const { target, key } = event;
    if (target.matches("select, textarea, input:not([type=radio], [type=range], [type=checkbox])")) {
      // From the filters, the arrow down leads to the list.
      if (key === "ArrowDown" && target.closest("#filters")) {
        event.preventDefault();
        $("list").focus();
      }
      return;
    }
    if (OWN.has(key) && target.matches("button, input, summary, a, [role=button]")) return;
    const action = actions[key.length === 1 ? key.toLowerCase() : key];
    if (!action) return;
    event.preventDefault();
    action(event);
  });
}
