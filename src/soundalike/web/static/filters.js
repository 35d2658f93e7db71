// The filters above the list.

import { $, inputById, make, selectById, setPressed } from "./dom.js";
import { parseRange } from "./format.js";
import { FILTERS } from "./link.js";

const TEMPO_TOLERANCE = 0.04; // "120" means +-4 %: what a DJ's pitch fader or a DAW's time stretching changes inaudibly
const LENGTH_TOLERANCE = 0.1; // "0.5" means 0.45 to 0.55 s: lengths are shown rounded

/** @param {string} id */
const isPressed = (id) => $(id).getAttribute("aria-pressed") === "true";

/**
 * The filters as they are written in their fields.
 * @returns {FilterTexts}
 */
export function read() {
  const [tempo, key, length, path] = FILTERS.map((name) => inputById(name).value);
  const favourite = isPressed("favourites-only");
  const collection = selectById("collection").value;
  const versions = /** @type {FilterTexts["versions"]} */ (selectById("versions").value);
  const sameClass = isPressed("same-class") ? "prefer" : "ignore";
  return { tempo, key, length, path, favourite, collection, classes: [...classes], versions, sameClass };
}

/** @param {FilterTexts} filters */
export function write(filters) {
  for (const name of FILTERS) inputById(name).value = filters[name];
  setPressed($("favourites-only"), filters.favourite);
  const menu = selectById("collection");
  menu.value = [...menu.options].some(({ value }) => value === filters.collection) ? filters.collection : "";
  selectById("versions").value = filters.versions;
  setPressed($("same-class"), filters.sameClass === "prefer");
  classes = new Set(filters.classes);
}

/** The classes of one-shots that are chosen; none: all. */
let classes = /** @type {Set<string>} */ (new Set());

/**
 * Shows how many one-shots there are of each class, as buttons that choose them; null: classes do not apply.
 * @param {Record<string, number> | null} counts
 * @param {() => void} onChange
 */
export function showClasses(counts, onChange) {
  const known = Object.entries(counts ?? {}).filter(([name, count]) => name && (count || classes.has(name)));
  $("classes").hidden = known.length < 2 && !classes.size;
  $("classes").replaceChildren(
    ...known.map(([name, count]) => {
      const button = make("button", { type: "button", class: "chip", "aria-pressed": String(classes.has(name)) }, `${name} `, make("small", { textContent: String(count) }));
      button.dataset.class = name;
      button.addEventListener("click", () => {
        if (!classes.delete(name)) classes.add(name);
        setPressed(button, classes.has(name));
        onChange();
      });
      return button;
    }),
  );
}

/**
 * The filters as the server expects them; marks a field with an invalid filter and throws.
 * @param {Kind} kind
 * @returns {Filters}
 */
export function parsed(kind) {
  const { tempo, key, length, path, favourite, collection } = read();
  for (const name of FILTERS) $(name).removeAttribute("aria-invalid");
  /**
   * @param {string} name
   * @param {string} text
   * @param {string} what
   * @param {number} [tolerance]
   * @param {string} [examples]
   */
  const range = (name, text, what, tolerance, examples) => {
    try {
      return parseRange(text, what, tolerance, examples);
    } catch (error) {
      $(name).setAttribute("aria-invalid", "true");
      throw error;
    }
  };
  /** @type {Filters} */
  const filters = { kinds: [kind], tempo: range("tempo", tempo, "tempo", TEMPO_TOLERANCE), duration: range("length", length, "seconds", LENGTH_TOLERANCE, "1-8, 2- or 4") };
  filters.key = key.trim() || null;
  filters.path = path.trim() || null;
  if (favourite) filters.favourite = true;
  if (collection) filters.collection = collection;
  if (classes.size && kind === "one-shot") filters.classes = [...classes];
  return filters;
}

/**
 * Shows the switch that has one-shots of the reference's class come first.
 * @param {string | null} kinds these one-shots; null: it would make no difference
 */
export function showSameClass(kinds) {
  $("same-class").hidden = !kinds;
  if (kinds) $("same-class").textContent = `${kinds} first`;
}

/** Clears all filters; how versions are folded, and what comes first, are none. */
export function clear() {
  const { versions, sameClass } = read();
  write({ tempo: "", key: "", length: "", path: "", favourite: false, collection: "", classes: [], versions, sameClass });
}

/** Whether any filter is set. */
export const any = () => Object.values({ ...read(), versions: "", sameClass: "" }).some((value) => (Array.isArray(value) ? value.length : value));
