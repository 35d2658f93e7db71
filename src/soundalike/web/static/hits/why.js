// Why a hit is where it is in the list: how the contributions of its parts differ from the list's means, and what its score means
// in this library. Pure functions without access to the page.

import { KIND_PLURALS } from "../format.js";

/** @typedef {{ mean: ByPart, greatest: number }} Comparison mean: of each part's contribution; greatest: sum of deviations of one sign */

/**
 * The share (0..1) of the library's items of a kind that score less; null if it is not known.
 * @param {Partial<Record<Kind, number[]>>} percentiles
 * @param {Hit} hit
 */
export function shareBelow(percentiles, { item, score }) {
  const scores = percentiles[item.kind];
  if (!scores?.length || score === null) return null;
  let [low, high] = [0, scores.length - 1];
  if (score <= scores[0]) return 0;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (scores[middle] < score) low = middle;
    else high = middle;
  }
  const step = scores[high] - scores[low];
  return Math.min(1, (low + (step > 0 ? Math.min(1, (score - scores[low]) / step) : 0)) / (scores.length - 1));
}

/** @typedef {"strong" | "fair" | "weak"} Grade */

/**
 * What each grade takes: the share of the library that scores less, and how far above the mean of pairs, in standard deviations.
 * @type {[Grade, { share: number, deviations: number }][]}
 */
const GRADES = [
  ["strong", { share: 0.97, deviations: 2 }],
  ["fair", { share: 0.8, deviations: 1 }],
];

/**
 * @param {number} share of the library that scores less
 * @param {number} deviations by which the score exceeds what two items of the library usually score, in standard deviations
 * @returns {Grade}
 */
export const gradeOf = (share, deviations) =>
  GRADES.find(([, least]) => share >= least.share && deviations >= least.deviations)?.[0] ?? "weak";

/**
 * What the scores of a search mean. alike: whether what is similar scores high, so that a grade can be given.
 * @typedef {{ percentiles: SearchResult["scale"], usual: SearchResult["usual"], alike: boolean }} Scale
 */

/** @type {Scale} */
export const NO_SCALE = { percentiles: {}, usual: {}, alike: false };

/**
 * @param {SearchResult} result
 * @returns {Scale}
 */
export const scaleOf = ({ scale, usual, weights, silent }) => ({ percentiles: scale, usual, alike: mostlyPositive(weights, silent) });

/**
 * Whether positive weights are more than half of those that have an effect.
 * @param {ByPart} weights
 * @param {string[]} [silent] parts without effect
 */
export const mostlyPositive = (weights, silent = []) =>
  Object.entries(weights).reduce((sum, [part, weight]) => sum + (silent.includes(part) ? 0 : weight), 0) > 1e-9;

/**
 * Where a hit stands in the library: its share, its grade if one can be given, and both in words; null if neither is known.
 * @param {Scale} scale
 * @param {Hit} hit
 * @returns {{ share: number, grade: Grade | null, title: string } | null}
 */
export function standingOf(scale, hit) {
  const share = shareBelow(scale.percentiles, hit);
  if (share === null || hit.score === null) return null;
  const kinds = KIND_PLURALS[hit.item.kind];
  const rank = `${topText(share)} of the ${kinds} of this library`;
  const usual = scale.usual[hit.item.kind];
  if (!scale.alike || !usual) return { share, grade: null, title: rank };
  const { mean, deviation } = usual;
  const [strong, fair] = GRADES.map(([, least]) => (mean + least.deviations * deviation).toFixed(2));
  const title = `${rank}; a usual score is ${mean.toFixed(2)}, fair begins at ${fair}, strong at ${strong}`;
  return { share, grade: gradeOf(share, (hit.score - mean) / deviation), title };
}

/**
 * "top 3 %" of the library.
 * @param {number} share of the library that scores less
 */
export const topText = (share) => `top ${Math.max(1, Math.ceil(100 * (1 - share) - 1e-6))} %`;

/**
 * What the deviations of a list's hits are measured from.
 * @param {Hit[]} hits
 * @returns {Comparison}
 */
export function comparisonOf(hits) {
  /** @type {ByPart} */
  const mean = {};
  for (const { contributions } of hits) for (const part in contributions) mean[part] = (mean[part] ?? 0) + contributions[part] / hits.length;
  let greatest = 0;
  for (const hit of hits) {
    let [above, below] = [0, 0];
    for (const [, value] of deviations(hit.contributions, mean)) {
      if (value > 0) above += value;
      else below -= value;
    }
    greatest = Math.max(greatest, above, below);
  }
  return { mean, greatest };
}

/**
 * @param {ByPart} contributions
 * @param {ByPart} mean
 * @returns {[string, number][]}
 */
export const deviations = (contributions, mean) =>
  Object.entries(contributions).map(([part, value]) => [part, value - (mean[part] ?? 0)]);

/**
 * In words: "drums +0.31, 0.04 more than the mean of this list; ...".
 * @param {ByPart} contributions
 * @param {ByPart} mean
 */
export const whyText = (contributions, mean) =>
  deviations(contributions, mean)
    .sort(([, a], [, b]) => Math.abs(b) - Math.abs(a))
    .map(([part, value]) => {
      const all = contributions[part];
      const sign = all < 0 ? "−" : "+";
      const rest = `${Math.abs(value).toFixed(2)} ${value < 0 ? "less" : "more"} than the mean of this list`;
      return `${part} ${sign}${Math.abs(all).toFixed(2)}: ${rest}`;
    })
    .join("\n");
