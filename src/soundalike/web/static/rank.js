// Ranks candidates under any weights, as the server does: score = sum of weight x cosine, an item by its best window.
// Pure functions without access to the page.

/**
 * Candidates in typed arrays, for speed. cosines: (rows, parts); ofItem: the index of each row's item.
 * @typedef {Candidates & { cosines: Float32Array, ofItem: Int32Array }} PackedCandidates
 */

/**
 * The factors of the cosines for weights set by hand: in units of each part's spread, scaled so that the sum of |weights| stays.
 * @param {ByPart} weights
 * @param {Record<string, number | null>} spread
 * @returns {ByPart}
 */
export function effective(weights, spread) {
  const parts = Object.keys(weights).filter((part) => weights[part] !== 0);
  const scaled = parts.map((part) => weights[part] / (spread[part] ?? 1));
  const total = scaled.reduce((sum, value) => sum + Math.abs(value), 0);
  const requested = parts.reduce((sum, part) => sum + Math.abs(weights[part]), 0);
  return Object.fromEntries(parts.map((part, k) => [part, total ? (scaled[k] * requested) / total : 0]));
}

/**
 * @param {Candidates} candidates
 * @returns {PackedCandidates}
 */
export function packed(candidates) {
  const { parts, items, rows } = candidates;
  const cosines = new Float32Array(rows.length * parts.length);
  const ofItem = new Int32Array(rows.length);
  rows.forEach((row, r) => {
    ofItem[r] = row[0];
    for (let k = 0; k < parts.length; k++) cosines[r * parts.length + k] = row[3][k];
  });
  return { parts, items, rows, cosines, ofItem };
}

/**
 * Hits under factors of the cosines, best first.
 * @param {PackedCandidates} candidates
 * @param {ByPart} factors
 * @returns {Hit[]}
 */
export function ranked(candidates, factors) {
  const { parts, items, rows, cosines, ofItem } = candidates;
  const w = Float32Array.from(parts, (part) => factors[part] ?? 0);
  const best = new Int32Array(items.length).fill(-1);
  const scores = new Float32Array(items.length);
  for (let r = 0; r < rows.length; r++) {
    let score = 0;
    let compared = false; // a row with none of the weighted parts has no score
    for (let k = 0; k < w.length; k++) {
      const product = w[k] * cosines[r * w.length + k];
      score += product;
      compared ||= product !== 0;
    }
    if (!compared) continue;
    const item = ofItem[r];
    if (best[item] < 0 || score > scores[item]) {
      best[item] = r;
      scores[item] = score;
    }
  }
  const order = Array.from(items.keys()).filter((item) => best[item] >= 0);
  order.sort((a, b) => scores[b] - scores[a] || (items[a].id < items[b].id ? -1 : 1));
  return order.map((item) => {
    const r = best[item];
    /** @type {ByPart} */
    const contributions = {};
    parts.forEach((part, k) => {
      if (w[k]) contributions[part] = w[k] * cosines[r * w.length + k];
    });
    return { item: items[item], start: rows[r][1], end: rows[r][2], score: scores[item], contributions };
  });
}
