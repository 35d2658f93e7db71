// What groups of onsets sound like, from the one-shots that are nearest to them. Pure functions without access to the page.

import { fileName } from "./format.js";

// Where the library does not know the class of a one-shot, words of its path.
/** @type {[string, RegExp][]} */
const WORDS = [
  ["kick", /(^|[^a-z])(kick|bd|bass ?drum)/],
  ["snare", /(^|[^a-z])(snare|sn|sd)([^a-z]|$)|snare/],
  ["clap", /clap|snap/],
  ["hat", /(^|[^a-z])(hat|hi-?hat|hh)/],
  ["tom", /(^|[^a-z])toms?([^a-z]|$)/],
  ["cymbal", /cymbal|crash|ride([^a-z]|$)|splash/],
  ["percussion", /perc|shaker|tabla|conga|bongo|cowbell|rim/],
];

/**
 * The class of a one-shot; null if nothing tells it.
 * @param {{ name: string, class?: string | null }} item
 * @returns {string | null}
 */
export function classOf(item) {
  if (item.class) return item.class;
  const path = item.name.toLowerCase().replaceAll("_", " ");
  return WORDS.find(([, word]) => word.test(path.split("/").at(-1) ?? ""))?.[0] ?? WORDS.find(([, word]) => word.test(path))?.[0] ?? null;
}

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
    const name = classOf(item);
    if (name) votes.set(name, (votes.get(name) ?? 0) + 1 / (2 + n));
  });
  const [best] = [...votes].sort((a, b) => b[1] - a[1]);
  const all = near.reduce((sum, _, n) => sum + 1 / (2 + n), 0);
  if (best && best[1] > 0.4 * all) return `like ${withArticle(best[0])}`;
  return near.length ? `like ${fileName(near[0]).replace(/\.[^.]*$/, "")}` : "";
}
