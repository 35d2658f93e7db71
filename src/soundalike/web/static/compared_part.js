// Which part of the reference is compared where hits have no parts of their own. Pure functions without access to the page.

import { heaviest } from "./weights.js";

/**
 * The part that alone is compared with items of a kind; null where the weights of all parts apply, and for groups of onsets.
 * @param {import("./question.js").Question} question
 * @param {Kind} kind of the items
 * @param {{ chosen: string | null, parts: string[], weights: ByPart }} mixer
 */
export function comparedPart(question, kind, { chosen, parts, weights }) {
  if (!question.sound || question.sound.text) return null;
  if (question.isClip && kind !== "song") return "mix";
  if (kind === "song" && !question.isClip) return null;
  if (kind !== "song" && question.group !== null) return null;
  return chosen ?? heaviest(parts, weights);
}

const PLURALS = new Set(["drums", "vocals", "residuals"]);

/**
 * What is compared, in words.
 * @param {import("./question.js").Question} question
 * @param {string | null} part
 * @param {string} kinds the kind of the items, in the plural
 * @param {string | null} chosen
 */
export function comparisonNote(question, part, kinds, chosen) {
  if (!part) return "";
  if (question.isClip && kinds !== "songs") return `The mix is compared with the mix of ${kinds}.`;
  if (question.isClip) return `The reference is compared with the ${part} of ${kinds}.`;
  const why = chosen ? "" : " (its weight is the greatest)";
  const verb = PLURALS.has(part) ? "are" : "is";
  return `The ${part} of the reference${why} ${verb} compared with the mix of ${kinds}, which have no separate parts.`;
}
