// What groups of onsets sound like. Pure functions without access to the page.

import { fileName } from "./format.js";

/** @param {string} word */
const withArticle = (word) => `${/^[aeiou]/.test(word) ? "an" : "a"} ${word}`;

/**
 * "like a kick" where the nearest one-shots of known class agree; otherwise the name of the nearest; "" where none was looked for,
 * since the library has none or the group is a small one.
 * @param {OnsetGroup} group
 */
export function likeness({ sound_class: soundClass, near }) {
  if (soundClass) return `like ${withArticle(soundClass)}`;
  return near.length ? `near ${fileName(near[0]).replace(/\.[^.]*$/, "")}` : "";
}
