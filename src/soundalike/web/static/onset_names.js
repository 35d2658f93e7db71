// What groups of onsets sound like, from the one-shots that are nearest to them. Pure functions without access to the page.

import { fileName } from "./format.js";

/** @param {string} word */
const withArticle = (word) => `${/^[aeiou]/.test(word) ? "an" : "a"} ${word}`;

/**
 * What a group sounds like: "like a kick", or like the nearest one-shot where their classes differ.
 * @param {Item[]} near the nearest first
 */
export function likeness(near) {
  /** @type {Map<string, number>} */
  const votes = new Map();
  near.forEach((item, n) => {
    const name = item.sound_class;
    if (name) votes.set(name, (votes.get(name) ?? 0) + 1 / (2 + n));
  });
  const [best] = [...votes].sort((a, b) => b[1] - a[1]);
  const all = near.reduce((sum, _, n) => sum + 1 / (2 + n), 0);
  if (best && best[1] > 0.4 * all) return `like ${withArticle(best[0])}`;
  return near.length ? `like ${fileName(near[0]).replace(/\.[^.]*$/, "")}` : "";
}
