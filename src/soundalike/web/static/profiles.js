// The menu of profiles (learnt weights). Until a slider moves, searches use the profile itself, whose weights act on raw cosines.

import { selectById } from "./dom.js";
import { sliderValues } from "./weights.js";

export class ProfileMenu {
  /**
   * The chosen profile; null: weights are set by hand.
   * @type {string | null}
   */
  name = null;

  /**
   * @param {object} options
   * @param {Profile[]} options.profiles
   * @param {Record<string, number | null>} options.spread
   * @param {import("./sliders.js").Sliders} options.sliders
   * @param {() => void} options.onChange
   */
  constructor({ profiles, spread, sliders, onChange }) {
    const menu = selectById("profile");
    menu.hidden = !profiles.length;
    menu.append(...profiles.map(({ name }) => new Option(name, name)));
    menu.addEventListener("change", () => {
      const profile = profiles.find((one) => one.name === menu.value);
      if (!profile) return;
      this.name = profile.name;
      menu.title = `${profile.method}; ${profile.data}${profile.notes ? `; ${profile.notes}` : ""}`;
      sliders.setValues(sliderValues(profile.weights, spread));
      onChange();
    });
  }

  /** Deselects the profile: weights are set by hand from now on. */
  clear() {
    this.name = null;
    selectById("profile").value = "";
    selectById("profile").title = "";
  }
}
