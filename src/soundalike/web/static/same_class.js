// Whether one-shots of the reference's class come first in the list. Pure functions without access to the page.

/** @type {Record<string, string>} */
const PLURALS = { bass: "basses", percussion: "percussion", keys: "keys", orchestral: "orchestral sounds", fx: "fx" };

/** @param {string} name of a class */
const classPlural = (name) => PLURALS[name] ?? `${name}s`;

/**
 * The one-shots that come first, or would if that were not switched off: "snares". null: it makes no difference, since the name of
 * the reference states no class, or the filters admit only its class or none of it.
 * @param {Pick<SearchResult, "sound_class" | "class_share" | "class_preferred" | "classes" | "same">} result
 * @param {Pick<SearchRequest, "same_class" | "filters">} request
 * @param {Kind} kind
 */
export function comingFirst({ sound_class: own, class_share, class_preferred, classes, same }, { same_class, filters }, kind) {
  const byName = same_class === "ignore" ? class_share === null : class_preferred;
  if (kind !== "one-shot" || !own || !byName || !classes) return null;
  const admitted = Object.keys(classes).filter((name) => classes[name] && (!filters.classes?.length || filters.classes.includes(name)));
  const others = classes[own] > same; // than the reference itself
  return admitted.includes(own) && admitted.length > 1 && others ? classPlural(own) : null;
}
