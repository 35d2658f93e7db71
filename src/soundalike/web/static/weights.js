// The arithmetic of the mixer: the weight of each part. Pure functions without access to the page.
//
// Each part has a strip {value: -1..1, muted, solo, locked}. Weights are signed, and their absolute values add up to 1. A locked
// strip keeps the weight that it was locked at; the others divide the rest in proportion to their values.

/**
 * @param {number} [value]
 * @returns {Strip}
 */
export const strip = (value = 0.5) => ({ value, muted: false, solo: false, locked: null });

/** @param {number[]} values */
const absoluteSum = (values) => values.reduce((total, value) => total + Math.abs(value), 0);

/**
 * The parts that are not muted; if any is soloed, only those soloed.
 * @param {Record<string, Strip>} strips
 */
export function activeParts(strips) {
  const parts = Object.keys(strips);
  const soloed = parts.filter((part) => strips[part].solo);
  return (soloed.length ? soloed : parts).filter((part) => !strips[part].muted);
}

/**
 * The weights of some parts among themselves, without those of zero.
 * @param {Record<string, Strip>} strips
 * @param {string[]} parts
 * @returns {ByPart}
 */
function weightsAmong(strips, parts) {
  /** @type {ByPart} */
  const weights = {};
  const free = [];
  for (const part of parts) {
    const { locked } = strips[part];
    if (locked === null) free.push(part);
    else weights[part] = locked;
  }
  const rest = Math.max(0, 1 - absoluteSum(Object.values(weights)));
  const total = absoluteSum(free.map((part) => strips[part].value));
  for (const part of free) if (total) weights[part] = (rest * strips[part].value) / total;
  const all = absoluteSum(Object.values(weights));
  const used = Object.entries(weights).filter(([, weight]) => Math.abs(weight) > 1e-6);
  return Object.fromEntries(used.map(([part, weight]) => [part, weight / all]));
}

/**
 * The share of the score of each active part that sounds in the reference, without those of zero.
 * @param {Record<string, Strip>} strips
 * @param {string[]} silent parts that do not, which have no effect
 */
export const sharesOf = (strips, silent) => weightsAmong(strips, activeParts(strips).filter((part) => !silent.includes(part)));

/**
 * The weights of the active parts, without those of zero. Those of parts that are silent in the reference have no effect, and
 * leave the proportions of the others as their shares of the score are.
 * @param {Record<string, Strip>} strips
 * @param {string[]} [silent]
 * @returns {ByPart}
 */
export function weightsOf(strips, silent = []) {
  const weights = weightsAmong(strips, activeParts(strips));
  const shares = Object.entries(sharesOf(strips, silent));
  if (!shares.length) return weights;
  const quiet = Object.entries(weights).filter(([part]) => silent.includes(part));
  const rest = 1 - absoluteSum(quiet.map(([, weight]) => weight));
  return Object.fromEntries([...quiet, ...shares.map(([part, share]) => [part, share * rest])]);
}

/**
 * The parts that are known to be silent in a reference after another answer about it, which tells only about the parts that it weights.
 * @param {string[]} known
 * @param {{ silent: string[], effective: ByPart }} answer
 */
export const silentParts = (known, { silent, effective }) => [...known.filter((part) => !(part in effective)), ...silent];

/**
 * Whether two sets of weights rank alike: the same proportions of the parts that sound.
 * @param {ByPart} one
 * @param {ByPart} other
 * @param {string[]} silent
 */
export function rankAlike(one, other, silent) {
  const parts = [...new Set([...Object.keys(one), ...Object.keys(other)])].filter((part) => !silent.includes(part));
  const sums = [one, other].map((weights) => absoluteSum(parts.map((part) => weights[part] ?? 0)) || 1);
  return parts.every((part) => Math.abs((one[part] ?? 0) / sums[0] - (other[part] ?? 0) / sums[1]) < 1e-4);
}

/**
 * The strips with `part` locked at its present share.
 * @param {Record<string, Strip>} strips
 * @param {string} part
 * @param {string[]} [silent]
 */
export function lock(strips, part, silent = []) {
  const share = sharesOf(strips, silent)[part] ?? weightsOf(strips)[part] ?? 0;
  return { ...strips, [part]: { ...strips[part], locked: share } };
}

/**
 * The strips with `part` unlocked, at a value that gives it the share it had.
 * @param {Record<string, Strip>} strips
 * @param {string} part
 * @param {string[]} [silent]
 */
export function unlock(strips, part, silent = []) {
  const weight = strips[part].locked ?? 0;
  const unlocked = { ...strips, [part]: { ...strips[part], locked: null } };
  const others = activeParts(unlocked).filter((other) => other !== part && !silent.includes(other));
  const lockedSum = absoluteSum(others.map((other) => unlocked[other].locked ?? 0));
  const free = others.filter((other) => unlocked[other].locked === null);
  const total = absoluteSum(free.map((other) => unlocked[other].value));
  const rest = 1 - lockedSum - Math.abs(weight);
  const value = rest > 1e-6 && total ? (weight * total) / rest : weight;
  const factor = Math.max(1, Math.abs(value));
  unlocked[part].value = value / factor;
  for (const other of free) unlocked[other] = { ...unlocked[other], value: unlocked[other].value / factor };
  return unlocked;
}

/**
 * The part with the greatest weight; among equals the last, which is the mix if it is one of them.
 * @param {string[]} parts
 * @param {ByPart} weights
 */
export const heaviest = (parts, weights) =>
  parts.reduce((best, part) => ((weights[part] ?? 0) >= (weights[best] ?? 0) - 1e-9 ? part : best));

/**
 * Values of sliders that rank as weights on raw cosines (those of a profile) do; the greatest is at the end of its slider.
 * @param {ByPart} weights
 * @param {Record<string, number | null>} spread
 */
export function sliderValues(weights, spread) {
  /** @type {[string, number][]} */
  const scaled = Object.entries(weights).map(([part, weight]) => [part, weight * (spread[part] ?? 1)]);
  const greatest = Math.max(...scaled.map(([, value]) => Math.abs(value)), 0) || 1;
  return Object.fromEntries(scaled.map(([part, value]) => [part, value / greatest]));
}
