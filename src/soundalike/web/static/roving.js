// Groups of controls that are one tab stop each: arrow keys move inside a group (roving tabindex, as in the toolbar pattern of the
// WAI-ARIA Authoring Practices), so that few tabs lead across the page.

import { isUsable, nameOf } from "./focus.js";

/** Controls of a row by which an arrow key moves. */
const STEPS = /** @type {Record<string, number>} */ ({ ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity });

/** @type {RovingGroup[]} */
const groups = [];

export class RovingGroup {
  /**
   * The control that had the focus last; it may have been replaced since.
   * @type {HTMLElement | null}
   */
  last = null;
  /**
   * The row that had the focus last, in whatever control; the box where there are no rows.
   * @type {Element | null}
   */
  row = null;

  /**
   * @param {HTMLElement} box
   * @param {string} controls selector of the controls in it
   * @param {object} [options]
   * @param {string} [options.rows] selector of the rows, where up and down move between rows; left and right stay in theirs
   * @param {() => void} [options.onDown] arrow down, where there are no rows
   */
  constructor(box, controls, { rows = "", onDown } = {}) {
    this.box = box;
    this.controls = controls;
    this.rows = rows;
    this.onDown = onDown;
    this.row = rows ? null : box;
    box.addEventListener("focusin", (event) => {
      const target = /** @type {HTMLElement} */ (event.target);
      this.row = this.rowOf(target);
      if (target.matches(controls)) this.last = target;
    });
    box.addEventListener("keydown", (event) => this.onKey(event));
    groups.push(this);
  }

  /** @returns {HTMLElement[]} */
  get all() {
    return [...this.box.querySelectorAll(/** @type {"button"} */ (this.controls))];
  }

  /** @param {Element} element */
  rowOf(element) {
    return this.rows ? element.closest(this.rows) : this.box;
  }

  /**
   * The usable control of a row that is like `control`, else the pressed one or the first; null: none is usable.
   * @param {Element} row
   * @param {HTMLElement | null} control
   */
  like(row, control) {
    const usable = this.all.filter((one) => this.rowOf(one) === row && isUsable(one));
    const same = control && usable.find((one) => one === control || (one.className === control.className && (this.rows || nameOf(one) === nameOf(control))));
    return same ?? usable.find((one) => !this.rows && one.getAttribute("aria-pressed") === "true") ?? usable[0] ?? null;
  }

  /** Makes one control the tab stop: the one that has the focus, or had it last, or is pressed, or the first. */
  update() {
    const { all, last, row } = this;
    const active = /** @type {HTMLElement} */ (document.activeElement);
    const stop = (all.includes(active) && active) || (row && this.like(row, last)) || all.find(isUsable);
    for (const one of all) one.tabIndex = one === stop ? 0 : -1;
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    const target = /** @type {HTMLElement} */ (event.target);
    if (!target.matches(this.controls) || event.ctrlKey || event.metaKey || event.altKey) return;
    const next = this.next(event.key, target);
    if (next === undefined) return;
    event.preventDefault();
    next?.focus();
  }

  /**
   * The control that a key leads to; null: the focus stays, or was moved; undefined: the key is not for this group.
   * @param {string} key
   * @param {HTMLElement} from
   */
  next(key, from) {
    const row = /** @type {Element} */ (this.rowOf(from));
    if (key === "ArrowDown" || key === "ArrowUp") {
      if (!this.rows) {
        if (key === "ArrowUp" || !this.onDown) return undefined;
        this.onDown();
        return null;
      }
      const rows = [...this.box.querySelectorAll(this.rows)];
      const at = rows.indexOf(row);
      const others = key === "ArrowDown" ? rows.slice(at + 1) : rows.slice(0, at).reverse();
      return others.map((one) => this.like(one, from)).find(Boolean) ?? null;
    }
    if (!(key in STEPS)) return undefined;
    const usable = this.all.filter((one) => this.rowOf(one) === row && isUsable(one));
    return usable[Math.max(0, Math.min(usable.length - 1, usable.indexOf(from) + STEPS[key]))] ?? null;
  }
}

/** What can be used changes all the time; it only matters when the tab key is pressed. */
export function listenToTabs() {
  document.addEventListener("keydown", ({ key }) => key === "Tab" && groups.forEach((group) => group.update()), { capture: true });
}
