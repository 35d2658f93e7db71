// Pads: the groups of similar onsets in the drums of a song. A pad that is pressed is heard, and lists the one-shots like it.

import { $, make } from "./dom.js";
import { Elapsed } from "./elapsed.js";
import { likeness } from "./onset_names.js";

const MOST = 16; // pads; smaller groups are left out

export class Pads {
  /**
   * onChoose(group): a pad was pressed, null: the chosen one again; onHear: an onset of the chosen one is to be heard.
   * @param {object} options
   * @param {(group: number | null) => void} options.onChoose
   * @param {() => void} options.onHear
   */
  constructor({ onChoose, onHear }) {
    this.onChoose = onChoose;
    this.onHear = onHear;
    this.box = $("pads");
    this.elapsed = new Elapsed(make("span", { class: "secondary", "aria-hidden": "true" }));
  }

  clear() {
    this.elapsed.run(false);
    this.box.replaceChildren();
    $("pads-box").hidden = true;
  }

  /** @param {string} message */
  showProgress(message) {
    $("pads-box").hidden = false;
    this.box.replaceChildren(make("span", { class: "secondary", textContent: message }), this.elapsed.element);
    this.elapsed.run(true);
  }

  /**
   * @param {string} message
   * @param {() => unknown} again
   */
  showProblem(message, again) {
    this.showProgress(message);
    this.elapsed.run(false);
    const button = make("button", { type: "button", textContent: "try again" });
    button.addEventListener("click", again);
    this.box.append(button);
  }

  /**
   * @param {OnsetGroup[]} groups
   * @param {number | null} chosen
   */
  show(groups, chosen) {
    this.elapsed.run(false);
    $("pads-box").hidden = !groups.length;
    this.box.replaceChildren(...groups.slice(0, MOST).map((group, n) => this.pad(group, n, chosen)));
  }

  /**
   * @param {OnsetGroup} group
   * @param {number} n
   * @param {number | null} chosen
   */
  pad(group, n, chosen) {
    const name = likeness(group);
    const pad = make(
      "button",
      { type: "button", class: "pad", "aria-pressed": String(n === chosen), title: "Hear one of these onsets, and list the one-shots that sound like them" },
      make("strong", { textContent: `${group.starts.length} ×` }),
      ...(name ? [make("span", { textContent: name })] : []),
    );
    pad.dataset.group = String(n);
    pad.addEventListener("click", () => {
      this.onChoose(n === chosen ? null : n);
      if (n !== chosen) this.onHear();
    });
    return pad;
  }
}
