// What buttons and keys do with hits, the player, the list and the filters.

import { $, setPressed } from "./dom.js";
import * as filters from "./filters.js";
import { copy, copyPaths, download, exportHits, reveal, toggleFavourite } from "./hit_actions.js";
import { whatIsTaken } from "./hits/taking.js";
import { FILTERS } from "./link.js";
import * as shortcuts from "./shortcuts.js";
import { run, showStatus } from "./status.js";
import { goToHits } from "./tab_stops.js";
import { showHelp } from "./views.js";

/**
 * What the commands act on. update: searches again; updateSoon: when nothing was written for a moment; takeItem(id): it becomes the
 * reference; resetWeights; reloadLibrary; canReveal(): whether files can be shown in the file manager; playFrom(): the second at
 * which the reference is to be played, null: where it starts; goTo: leads to sections.
 * @typedef {object} CommandTargets
 * @property {import("./hits/list.js").List} list
 * @property {import("./hits/current.js").CurrentHit} current
 * @property {import("./sound/player.js").Player} player
 * @property {import("./feedback.js").Feedback} feedback
 * @property {import("./map/panel.js").MapPanel} map
 * @property {import("./sound_collections.js").Collections} collections
 * @property {(options?: { fresh?: boolean }) => unknown} update
 * @property {() => void} updateSoon
 * @property {(id: string) => unknown} takeItem
 * @property {() => unknown} resetWeights
 * @property {() => unknown} reloadLibrary
 * @property {() => boolean} canReveal
 * @property {() => number | null} playFrom
 * @property {ReturnType<typeof import("./tab_stops.js").listen>} goTo
 */

export class Commands {
  /** @param {CommandTargets} targets */
  constructor(targets) {
    this.targets = targets;
    const { feedback, list, takeItem } = targets;
    /**
     * What can be done with the current hit, by the id of its button.
     * @type {Record<string, (hit: Hit) => unknown>}
     */
    this.actions = {
      favourite: (hit) => this.star(hit),
      alike: (hit) => feedback.answerAlike(hit, true),
      "not-alike": (hit) => feedback.answerAlike(hit, false),
      compare: (hit) => feedback.hold(hit),
      "as-reference": (hit) => takeItem(hit.item.id),
      "copy-path": (hit) => copyPaths(list.selected.size ? list.selection : [hit]),
      reveal,
      download: (hit) => download(list.selected.size ? list.selection : [hit], whatIsTaken),
    };
    this.listenToPlayer();
    this.listenToFilters();
    this.listenToList();
    this.listenToKeys();
  }

  /**
   * @param {string} id
   * @param {() => unknown} action
   */
  onClick(id, action) {
    $(id).addEventListener("click", () => run(action));
  }

  /**
   * An action with the current hit, if there is one.
   * @param {string} name
   */
  onCurrent = (name) => () => {
    const { hit } = this.targets.current;
    if (hit) run(() => this.actions[name](hit));
  };

  /** @param {Hit} hit */
  async star(hit) {
    const { list, current } = this.targets;
    await toggleFavourite(hit, list.hits);
    list.refresh();
    current.show();
  }

  listenToPlayer() {
    const { player, current, playFrom } = this.targets;
    /** @param {Side} side */
    const switchTo = (side) => () => (player.isOn(side) ? undefined : player.switchSide(side));
    this.onClick("play-reference", () => (player.isOn("reference") ? player.pause() : player.play("reference", playFrom())));
    this.onClick("toggle", () => player.toggle());
    this.onClick("side-reference", switchTo("reference"));
    this.onClick("side-hit", switchTo("hit"));
    this.onClick("side-both", switchTo("both"));
    this.onClick("to-key", () => current.toggleKey());
    this.onClick("loop", () => player.toggleLoop());
    this.onClick("clear-marked", () => current.mark(null));
    for (const id of Object.keys(this.actions)) $(id).addEventListener("click", this.onCurrent(id));
  }

  listenToFilters() {
    const { update, updateSoon, resetWeights, reloadLibrary, map } = this.targets;
    this.onClick("reset-weights", resetWeights);
    for (const id of ["favourites-only", "same-class"]) {
      this.onClick(id, () => {
        setPressed($(id), $(id).getAttribute("aria-pressed") !== "true");
        return update();
      });
    }
    this.onClick("clear-filters", () => {
      filters.clear();
      return update();
    });
    for (const id of ["collection", "versions"]) $(id).addEventListener("change", () => run(update));
    $("filters").addEventListener("submit", (event) => event.preventDefault());
    for (const id of FILTERS) $(id).addEventListener("input", updateSoon);
    this.onClick("link", () => copy(location.href, "the link is"));
    this.onClick("help-open", showHelp);
    this.onClick("map-open", () => map.toggle());
    this.onClick("notice-reload", reloadLibrary);
  }

  listenToList() {
    const { list, collections } = this.targets;
    const menu = /** @type {HTMLSelectElement} */ ($("export"));
    menu.addEventListener("change", () => {
      const format = /** @type {"m3u8" | "csv" | "json" | ""} */ (menu.value);
      menu.value = "";
      if (format) run(() => exportHits(format, list.selected.size ? list.selection : list.hits));
    });
    for (const button of document.querySelectorAll("#columns button")) {
      button.addEventListener("click", () => {
        list.sortBy(/** @type {import("./hits/sorting.js").Column} */ (/** @type {HTMLElement} */ (button).dataset.column));
        this.showOrder();
      });
    }
    this.onClick("selection-clear", () => list.clearSelection());
    this.onClick("selection-star", async () => {
      for (const hit of list.selection) if (!hit.item.favourite) await this.star(hit);
    });
    this.onClick("uncollect", async () => {
      await collections.remove();
      list.clearSelection();
    });
    $("collect").addEventListener("submit", (event) => {
      event.preventDefault();
      run(() => collections.add());
    });
  }

  /** Shows on the heads of the columns what the list is ordered by. */
  showOrder() {
    const { order } = this.targets.list;
    for (const button of document.querySelectorAll("#columns button")) {
      const { column } = /** @type {HTMLElement} */ (button).dataset;
      const sign = order?.column !== column ? "" : order?.descending ? " ▾" : " ▴";
      button.querySelector("i")?.replaceChildren(sign);
    }
  }

  listenToKeys() {
    const { list, current, player, feedback, map, canReveal, goTo } = this.targets;
    /** @param {() => number} rows */
    const move = (rows) => () => list.choose(Math.max(0, Math.min(list.hits.length - 1, list.chosen + rows())), true);
    shortcuts.listen({
      ArrowDown: move(() => 1),
      ArrowUp: move(() => -1),
      PageDown: move(() => list.page),
      PageUp: move(() => -list.page),
      Home: move(() => -list.hits.length),
      End: move(() => list.hits.length),
      Enter: () => current.hit && run(() => player.play("hit")),
      " ": () => run(() => player.toggle()),
      a: () => run(() => (player.sources.both ? player.switchSide("both") : showStatus($("side-both").title))),
      b: () => run(() => player.switchSide()),
      l: () => player.toggleLoop(),
      i: () => run(() => current.markEdge(0)),
      o: () => run(() => current.markEdge(1)),
      f: this.onCurrent("favourite"),
      "+": this.onCurrent("alike"),
      "=": this.onCurrent("alike"),
      "-": this.onCurrent("not-alike"),
      x: this.onCurrent("compare"),
      1: () => feedback.chooseCloser("a"),
      2: () => feedback.chooseCloser("b"),
      Escape: () => {
        feedback.cancelComparison();
        if (list.selected.size) list.clearSelection();
      },
      s: () => list.hit && list.select(list.hit),
      k: () => {
        if (list.hit && !list.selected.size) list.select(list.hit);
        if (list.selected.size) $("collection-name").focus();
      },
      u: () => feedback.undo(),
      r: this.onCurrent("as-reference"),
      c: this.onCurrent("copy-path"),
      e: () => canReveal() && this.onCurrent("reveal")(),
      d: this.onCurrent("download"),
      h: goToHits,
      p: goTo.pads,
      w: goTo.weights,
      m: () => map.toggle(),
      "?": showHelp,
    });
  }
}
