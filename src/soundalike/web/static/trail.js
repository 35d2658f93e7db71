// The references of this visit, in order: a breadcrumb, and what the browser's back button returns to.

import { $, make } from "./dom.js";

const KEY = "soundalike-trail";
const MOST = 6;

/** @typedef {{ label: string, hash: string }} Step */

export class Trail {
  /** @type {Step[]} */
  steps = [];

  constructor() {
    try {
      this.steps = JSON.parse(sessionStorage.getItem(KEY) ?? "[]").filter((/** @type {Step} */ one) => one.label && one.hash);
    } catch {
      // it begins again
    }
  }

  /**
   * Adds a reference, or updates the link of the present one. fresh: it is another one, which the back button may leave.
   * @param {Step} step
   * @param {{ fresh: boolean }} options
   */
  put(step, { fresh }) {
    const index = this.steps.findIndex((one) => one.label === step.label);
    if (index >= 0 && (index === this.steps.length - 1 || fresh)) this.steps[index] = step;
    else if (fresh) this.steps.push(step);
    this.steps = this.steps.slice(-MOST);
    try {
      sessionStorage.setItem(KEY, JSON.stringify(this.steps));
    } catch {
      // the trail then lasts until a reload
    }
    this.show(step.label);
  }

  /** @param {string} current */
  show(current) {
    $("trail").hidden = this.steps.length < 2;
    $("trail").replaceChildren(
      ...this.steps.map(({ label, hash }) => {
        const link = make("a", { href: hash, textContent: label, title: `back to ${label}` });
        if (label === current) link.setAttribute("aria-current", "true");
        return link;
      }),
    );
  }
}
