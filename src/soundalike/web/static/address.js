// The address of the page and the browser's history: what is asked is in the address, and each reference is a step back.

import { toLink } from "./link.js";
import { Trail } from "./trail.js";

export class Address {
  trail = new Trail();
  /**
   * The question whose link the address shows.
   * @type {import("./question.js").Question | null}
   */
  linked = null;

  /**
   * Shows the present state in the address. A new reference is a step that the back button leaves; everything else changes the
   * present one.
   * @param {import("./question.js").Question} question
   * @param {Pick<LinkState, "strips" | "kind" | "part" | "filters">} state
   */
  store(question, { strips, kind, part, filters }) {
    const { sound, region, group } = question;
    const referenceKind = sound?.kind && sound.kind !== sound.naturalKind ? sound.kind : null;
    const hash = toLink({ reference: sound, region, strips, kind, part, referenceKind, group, filters });
    const step = this.linked !== question;
    if (hash === location.hash && !step) return;
    if (step && this.linked?.sound) history.pushState(null, "", hash);
    else history.replaceState(null, "", hash);
    this.linked = question;
    if (sound) this.trail.put({ label: sound.name, hash }, { fresh: step });
  }

  /** The next state comes from the address: it is not another step. */
  follow() {
    this.linked = null;
  }
}
