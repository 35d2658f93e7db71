// Learnt weights on the sliders. Until one moves, the profile itself is asked with, which acts on raw cosines.

import { $ } from "./dom.js";
import { valuesOf } from "./shares.js";

export class Presets {
  // profiles: as the server has them; spread: of the library's parts; sliders; onChange(): another is chosen.
  constructor({ profiles, spread, sliders, onChange }) {
    this.name = null;
    $("preset").hidden = !profiles.length;
    $("preset").append(...profiles.map(({ name }) => new Option(name, name)));
    $("preset").addEventListener("change", () => {
      const profile = profiles.find((one) => one.name === $("preset").value);
      if (!profile) return;
      this.name = profile.name;
      $("preset").title = `${profile.method}; ${profile.data}${profile.notes ? `; ${profile.notes}` : ""}`;
      sliders.setValues(valuesOf(profile.weights, spread));
      onChange();
    });
  }

  // Weights by hand from now on.
  leave() {
    this.name = null;
    $("preset").value = $("preset").title = "";
  }
}
