// What groups of onsets sound like. Pure functions without access to the page.

import { fileName } from "./format.js";

/** @param {string} word */
const withArticle = (word) => `${/^[aeiou]/.test(word) ? "an" : "a"} ${word}`;

/**
 * "like a kick" where the nearest one-shots of known class agree; otherwise the name of the nearest.
 * @param {OnsetGroup} group
 */
export function likeness({ sound_class: soundClass, near }) {
  if (soundClass) return `like ${withArticle(soundClass)}`;
  return near.length ? `near ${fileName(near[0]).replace(/\.[^.]*$/, "")}` : "nothing near";
}
