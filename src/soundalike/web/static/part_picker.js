// Which part of the reference is compared with loops and one-shots, which have no parts of their own.

import { $, find, make } from "./dom.js";
import { KIND_PLURALS } from "./format.js";
import { heaviest } from "./weights.js";

export class PartPicker {
  /**
   * The part that the user has chosen; null: the heaviest.
   * @type {string | null}
   */
  chosen = null;

  /**
   * @param {object} options
   * @param {string[]} options.parts
   * @param {import("./reference.js").Reference} options.reference
   * @param {() => ByPart} options.weights of the mixer
   * @param {() => void} options.onChange
   */
  constructor({ parts, reference, weights, onChange }) {
    this.parts = parts;
    this.reference = reference;
    this.weights = weights;
    this.labels = new Map(["", ...parts].map((part) => [part, this.makeLabel(part)]));
    $("part-choices").append(...this.labels.values());
    $("part-picker").addEventListener("change", (event) => {
      this.chosen = /** @type {HTMLInputElement} */ (event.target).value || null;
      onChange();
    });
  }

  /** @param {string} part */
  makeLabel(part) {
    const text = make("span", part ? { textContent: part } : { id: "part-auto" });
    const label = make("label", {}, make("input", { type: "radio", name: "part", value: part }), text);
    label.dataset.part = part;
    return label;
  }

  /**
   * The part that alone is compared with items of a kind; null where the weights of the mixer apply.
   * @param {Kind} kind
   */
  part(kind) {
    const { reference } = this;
    if (reference.sound?.text || (kind === "song" && !reference.isClip)) return null;
    if (reference.isClip && kind !== "song") return "mix";
    return this.chosen ?? heaviest(this.parts, this.weights());
  }

  /** @param {Kind} kind */
  show(kind) {
    const { isClip } = this.reference;
    const part = this.part(kind);
    $("part-picker").hidden = !part;
    $("mixer").hidden = Boolean(part && (this.chosen || isClip)); // its sliders would have no effect
    if (!part) return;
    const mixOnly = isClip && kind !== "song";
    for (const [value, label] of this.labels) label.hidden = mixOnly && value !== "mix";
    $("part-auto").textContent = `greatest weight (${heaviest(this.parts, this.weights())})`;
    const checked = this.labels.get(mixOnly ? "mix" : (this.chosen ?? ""));
    if (checked) find("input", checked, HTMLInputElement).checked = true;
    $("part-note").textContent = this.note(part, kind, mixOnly);
  }

  /**
   * @param {string} part
   * @param {Kind} kind
   * @param {boolean} mixOnly
   */
  note(part, kind, mixOnly) {
    const kinds = KIND_PLURALS[kind];
    if (mixOnly) return `The mix is compared with the mix of ${kinds}.`;
    if (this.reference.isClip) return `The reference is compared with the ${part} of ${kinds}.`;
    return `The ${part} of the reference is compared with the mix of ${kinds}, which have no separate parts.`;
  }
}
