// Loudness after ITU-R BS.1770-4, and the gain that makes sounds equally loud. Pure functions without access to the page.

const TARGET = -18; // LUFS at which everything is played: below most masters, above most samples
const MAX_GAIN = 4; // 12 dB; quieter sounds stay quieter

/** @param {number | null | undefined} loudness LUFS */
export const gainFor = (loudness) =>
  typeof loudness === "number" && Number.isFinite(loudness) ? Math.min(MAX_GAIN, 10 ** ((TARGET - loudness) / 20)) : 1;

/** @typedef {[number, number, number, number, number]} Biquad coefficients b0, b1, b2, a1, a2 */

/**
 * The two filters of the K weighting at a sample rate (Hz): a high shelf, then a high-pass.
 * @param {number} rate
 * @returns {[Biquad, Biquad]}
 */
function kWeighting(rate) {
  /** @param {number} frequency */
  const warped = (frequency) => Math.tan((Math.PI * frequency) / rate);
  const k = warped(1681.974450955533);
  const q = 0.7071752369554196;
  const high = 10 ** (3.999843853973347 / 20);
  const band = high ** 0.4996667741545416;
  const a0 = 1 + k / q + k * k;
  const h = warped(38.13547087602444);
  const r = 0.5003270373238773;
  const c0 = 1 + h / r + h * h;
  return [
    [
      (high + (band * k) / q + k * k) / a0,
      (2 * (k * k - high)) / a0,
      (high - (band * k) / q + k * k) / a0,
      (2 * (k * k - 1)) / a0,
      (1 - k / q + k * k) / a0,
    ],
    [1, -2, 1, (2 * (h * h - 1)) / c0, (1 - h / r + h * h) / c0],
  ];
}

/**
 * @param {Float32Array} samples
 * @param {Biquad} filter
 */
function filtered(samples, [b0, b1, b2, a1, a2]) {
  const out = new Float32Array(samples.length);
  let [x1, x2, y1, y2] = [0, 0, 0, 0];
  for (let n = 0; n < samples.length; n++) {
    const x = samples[n];
    const y = b0 * x + b1 * x1 + b2 * x2 - a1 * y1 - a2 * y2;
    [x2, x1, y2, y1] = [x1, x, y1, y];
    out[n] = y;
  }
  return out;
}

/**
 * Integrated loudness (LUFS); a sound shorter than a block of 0.4 s is one block. -Infinity for silence.
 * @param {Float32Array[]} channels
 * @param {number} rate Hz
 */
export function loudnessOf(channels, rate) {
  const weighted = channels.map((samples) => kWeighting(rate).reduce(filtered, samples));
  const { length } = weighted[0];
  const block = Math.min(length, Math.round(0.4 * rate));
  const step = Math.max(1, Math.round(block / 4));
  const powers = [];
  for (let start = 0; start + block <= length; start += step) {
    let power = 0;
    for (const samples of weighted) for (let n = start; n < start + block; n++) power += samples[n] ** 2;
    powers.push(power / block);
  }
  /** @param {number} power */
  const level = (power) => -0.691 + 10 * Math.log10(power);
  /** @param {number[]} values */
  const mean = (values) => values.reduce((total, value) => total + value, 0) / values.length;
  const audible = powers.filter((power) => level(power) > -70);
  if (!audible.length) return -Infinity;
  const gate = level(mean(audible)) - 10;
  return level(mean(audible.filter((power) => level(power) > gate)));
}
