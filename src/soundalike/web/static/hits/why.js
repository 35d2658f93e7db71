// Why a hit is where it is in the list: how the contributions of its parts differ from the list's means, and what its score means
// in this library. Pure functions without access to the page.

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

const [STRONG, FAIR] = [0.97, 0.8];

/**
 * @param {number} share of the library that scores less
 * @returns {Grade}
 */
export const gradeOf = (share) => (share >= STRONG ? "strong" : share >= FAIR ? "fair" : "weak");

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
