// The filters above the list.

import { $, inputById, setPressed } from "./dom.js";
import { parseRange } from "./format.js";
import { FILTERS } from "./link.js";

const TEMPO_TOLERANCE = 0.04; // "120" means +-4 %: what a DJ's pitch fader or a DAW's time stretching changes inaudibly
const LENGTH_TOLERANCE = 0.1; // "0.5" means 0.45 to 0.55 s: lengths are shown rounded

/**
 * The filters as they are written in their fields.
 * @returns {FilterTexts}
 */
export function read() {
  const [tempo, key, length, path, classes] = FILTERS.map((name) => inputById(name).value);
  return { tempo, key, length, path, class: classes, favourite: $("favourites-only").getAttribute("aria-pressed") === "true" };
}

/** @param {FilterTexts} filters */
export function write(filters) {
  for (const name of FILTERS) inputById(name).value = filters[name];
  setPressed($("favourites-only"), filters.favourite);
}

/**
 * The filters as the server expects them; marks a field with an invalid filter and throws.
 * @param {Kind} kind
 * @returns {Filters}
 */
export function parsed(kind) {
  const { tempo, key, length, path, class: classes, favourite } = read();
  for (const name of FILTERS) $(name).removeAttribute("aria-invalid");
  /**
   * @param {string} name
   * @param {string} text
   * @param {string} what
   * @param {number} [tolerance]
   */
  const range = (name, text, what, tolerance) => {
    try {
      return parseRange(text, what, tolerance);
    } catch (error) {
      $(name).setAttribute("aria-invalid", "true");
      throw error;
    }
  };
  /** @type {Filters} */
  const filters = { kinds: [kind], tempo: range("tempo", tempo, "tempo", TEMPO_TOLERANCE), duration: range("length", length, "seconds", LENGTH_TOLERANCE) };
  filters.key = key.trim() || null;
  filters.path = path.trim() || null;
  if (favourite) filters.favourite = true;
  if (kind === "one-shot" && classes) filters.classes = classes.split(",");
  return filters;
}

/** Clears all filters. */
export const clear = () => write({ tempo: "", key: "", length: "", path: "", class: "", favourite: false });

/** Whether any filter is set. */
export const any = () => Object.values(read()).some(Boolean);
