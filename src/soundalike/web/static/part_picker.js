// Which part of the reference is compared with whole sounds: loops and one-shots have no parts of their own.

import { $, make } from "./dom.js";
import { heaviest } from "./shares.js";

export const NAMES = { song: "songs", loop: "loops", "one-shot": "one-shots" };

export class Which {
  // reference: a `Reference`; shares(): of the mixer; onChange(): another part was chosen.
  constructor({ parts, reference, shares, onChange }) {
    Object.assign(this, { parts, reference, shares, chosen: null });
    for (const [value, words] of [["", ""], ...parts.map((part) => [part, part])]) {
      const label = make("label", {}, make("input", { type: "radio", name: "which", value }), make("span", { textContent: words }));
      label.dataset.part = value;
      if (!value) label.querySelector("span").id = "which-auto";
      $("which-parts").append(label);
    }
    $("which").addEventListener("change", (event) => {
      this.chosen = event.target.value || null;
      onChange();
    });
  }

  // The part that counts alone when `kind` is looked for; null where the mixer counts.
  part(kind) {
    const { reference } = this;
    if (reference.now?.text || (kind === "song" && !reference.whole)) return null;
    if (reference.whole && kind !== "song") return "mix";
    return this.chosen ?? heaviest(this.parts, this.shares());
  }

  show(kind) {
    const { reference, chosen } = this;
    const part = this.part(kind);
    $("which").hidden = !part;
    $("mixer").hidden = Boolean(part && (chosen || reference.whole)); // its sliders would do nothing
    if (!part) return;
    const name = NAMES[kind];
    const fixed = reference.whole && kind !== "song";
    for (const label of document.querySelectorAll("#which label")) label.hidden = fixed && label.dataset.part !== "mix";
    $("which-auto").textContent = `what counts most (${heaviest(this.parts, this.shares())})`;
    document.querySelector(`#which input[value="${fixed ? "mix" : (chosen ?? "")}"]`).checked = true;
    $("which-words").textContent = fixed
      ? `Whole sound against whole ${name}.`
      : reference.whole
        ? `The sound is compared with the ${part} of ${name}.`
        : `${part === "mix" ? "The whole of the reference" : `The ${part} of the reference`} against whole ${name}, which have no parts of their own.`;
  }
}
