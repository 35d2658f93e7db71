// The headphone check of Woods, Siegel, Traer and McDermott (2017), "Headphone screening to facilitate web-based auditory
// experiments": of three tones one is 6 dB quieter, and one has its channels in opposite phase. Over loudspeakers the latter
// cancels in the air and seems to be the quietest; over headphones it does not.

export const ROUNDS = 6;
export const NEEDED = 5;
const FREQUENCY = 200; // Hz
const TONE = 1; // s
const GAP = 0.5; // s
const RAMP = 0.1; // s, raised cosine
const LEVEL = 0.25; // peak amplitude of the louder tones
const QUIETER = 10 ** (-6 / 20);

/** @typedef {{ quiet: number, opposed: number }} ToneRound places 0 to 2 of the quieter tone and of the one in opposite phase */

/**
 * Six rounds in random order: each of the six orders of the three tones once.
 * @param {() => number} [random] from 0 to 1, 1 excluded
 * @returns {ToneRound[]}
 */
export function toneRounds(random = Math.random) {
  /** @type {ToneRound[]} */
  const rounds = [];
  for (const quiet of [0, 1, 2]) for (const opposed of [0, 1, 2]) if (quiet !== opposed) rounds.push({ quiet, opposed });
  for (let n = rounds.length - 1; n > 0; n--) {
    const other = Math.floor(random() * (n + 1));
    [rounds[n], rounds[other]] = [rounds[other], rounds[n]];
  }
  return rounds;
}

/** Start of a tone in a round, in seconds. @param {number} place */
export const toneStart = (place) => place * (TONE + GAP);

export const ROUND_SECONDS = toneStart(2) + TONE;

/**
 * The samples of a round, left and right.
 * @param {ToneRound} round
 * @param {number} rate Hz
 * @returns {[Float32Array, Float32Array]}
 */
export function toneSamples({ quiet, opposed }, rate) {
  const length = Math.round(TONE * rate);
  const ramp = Math.round(RAMP * rate);
  const total = Math.ceil(ROUND_SECONDS * rate);
  const left = new Float32Array(total);
  const right = new Float32Array(total);
  for (let place = 0; place < 3; place++) {
    const start = Math.round(toneStart(place) * rate);
    const level = LEVEL * (place === quiet ? QUIETER : 1);
    for (let n = 0; n < length; n++) {
      const edge = Math.min(1, n / ramp, (length - 1 - n) / ramp);
      const value = level * 0.5 * (1 - Math.cos(Math.PI * edge)) * Math.sin((2 * Math.PI * FREQUENCY * n) / rate);
      left[start + n] = value;
      right[start + n] = place === opposed ? -value : value;
    }
  }
  return [left, right];
}
