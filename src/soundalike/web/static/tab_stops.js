// The page's groups of buttons, each one tab stop (a slider is one by itself), and the ways that lead from section to section.

import { $ } from "./dom.js";
import { isUsable } from "./focus.js";
import { listenToTabs, RovingGroup } from "./roving.js";
import { showView } from "./views.js";

export function goToHits() {
  showView("results");
  $("list").focus();
}

/** To the tab stop of a group, if it has one now. @param {RovingGroup} group */
function goTo(group) {
  group.update();
  group.all.find(({ tabIndex }) => tabIndex === 0)?.focus();
}

/** Makes the groups. What is returned leads to two of them. */
export function listen() {
  const pads = new RovingGroup($("pads"), "button", { onDown: goToHits });
  const switches = new RovingGroup($("sliders"), "button", { rows: ".strip" });
  for (const id of ["classes", "columns"]) new RovingGroup($(id), "button", { onDown: goToHits });
  for (const id of ["dropped", "zoom", "buttons", "actions", "map-legend", "map-neighbours"]) new RovingGroup($(id), "button");
  listenToTabs();
  $("skip").addEventListener("click", (event) => {
    event.preventDefault(); // the address holds the search
    goToHits();
  });
  return {
    pads: () => {
      showView("results"); // on narrow screens they are above the hits
      goTo(pads);
    },
    weights: () => {
      showView("weighting");
      const slider = [...document.querySelectorAll(/** @type {"input"} */ ("#sliders input"))].find(isUsable);
      if (slider) slider.focus();
      else goTo(switches);
    },
  };
}
