// What is searched for: the kind of items, and the part of the reference that alone is compared with them.

import { comparedPart } from "./compared_part.js";
import { find } from "./dom.js";

export class Target {
  /** @type {Kind} */
  kind = "song";
  /**
   * The part that alone is compared with loops and one-shots; null: the one with the greatest weight.
   * @type {string | null}
   */
  chosenPart = null;

  /** @param {Kind} kind */
  choose(kind) {
    this.kind = kind;
    find(`#kind [value="${kind}"]`, document, HTMLInputElement).checked = true;
  }

  /**
   * Chooses a part, or leaves the choice to the weights where it was chosen already.
   * @param {string} part
   */
  togglePart(part) {
    this.chosenPart = this.chosenPart === part ? null : part;
  }

  /**
   * Whether a group of onsets of the question is compared.
   * @param {import("./question.js").Question} question
   */
  comparesOnsets({ sound, group }) {
    return Boolean(sound && this.kind !== "song" && group !== null);
  }

  /**
   * The part that alone is compared; null: the weights of all parts count.
   * @param {import("./question.js").Question} question
   * @param {string[]} parts
   * @param {ByPart} weights
   */
  part(question, parts, weights) {
    return comparedPart(question, this.kind, { chosen: this.chosenPart, parts, weights });
  }
}
