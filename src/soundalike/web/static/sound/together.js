// A hit heard in the song: one-shots in place of the onsets of their group, loops in place of the part that they are compared
// with. Pure functions without access to the page; samples are Float32Arrays, one for each channel, times seconds.

/** @typedef {Float32Array[]} Channels */
/** @typedef {{ start: number, end: number }} Span seconds of the excerpt */

const FADE = 0.004; // s, at both ends of what is taken out
const ATTACK = 0.12; // s over which levels are compared
const TAIL = 1.5; // s of a one-shot that are heard at most, unless it is struck again
const [QUIETEST, LOUDEST] = [0.02, 8]; // gains of a one-shot
const SHARPNESS = 0.02; // s: how close to a beat an onset has to be to count for it
const PHASES = 200; // of a beat that are tried

/**
 * @param {Float32Array} samples
 * @param {number} from
 * @param {number} to
 */
function levelOf(samples, from, to) {
  let sum = 0;
  const end = Math.min(to, samples.length);
  for (let n = Math.max(0, from); n < end; n++) sum += samples[n] ** 2;
  return Math.sqrt(sum / Math.max(1, end - Math.max(0, from)));
}

/**
 * How much of a stem is taken out at each sample, 0..1.
 * @param {number} length samples
 * @param {number} rate Hz
 * @param {Span[]} spans
 */
export function gate(length, rate, spans) {
  const out = new Float32Array(length);
  const fade = Math.max(1, Math.round(FADE * rate));
  for (const { start, end } of spans) {
    const [first, last] = [Math.round(start * rate), Math.round(end * rate)];
    for (let n = Math.max(0, first - fade); n < Math.min(length, last + fade); n++) {
      const inside = n < first ? 1 - (first - n) / fade : n >= last ? 1 - (n - last + 1) / fade : 1;
      out[n] = Math.max(out[n], inside);
    }
  }
  return out;
}

/**
 * A song less the seconds of one of its stems.
 * @param {Channels} song
 * @param {Float32Array} stem mono
 * @param {Float32Array} share of the stem that is taken out
 * @returns {Channels}
 */
export const without = (song, stem, share) =>
  song.map((samples) => samples.map((value, n) => value - (stem[n] ?? 0) * (share[n] ?? 0)));

/**
 * Adds a one-shot at each onset, as loud as the stem is there, until the next.
 * @param {Channels} song changed in place
 * @param {number} rate Hz
 * @param {object} hit
 * @param {Channels} hit.shot
 * @param {Float32Array} hit.stem
 * @param {Span[]} hit.spans
 */
export function strike(song, rate, { shot, stem, spans }) {
  const attack = Math.round(ATTACK * rate);
  const loudness = Math.max(...shot.map((samples) => levelOf(samples, 0, attack))) || 1;
  const ordered = [...spans].sort((a, b) => a.start - b.start);
  const fade = Math.max(1, Math.round(FADE * rate));
  ordered.forEach(({ start }, n) => {
    const first = Math.round(start * rate);
    const gain = Math.min(LOUDEST, Math.max(QUIETEST, levelOf(stem, first, first + attack) / loudness));
    const next = ordered[n + 1] ? Math.round(ordered[n + 1].start * rate) : Infinity;
    const count = Math.min(shot[0].length, next - first, Math.round(TAIL * rate));
    song.forEach((samples, c) => {
      const source = shot[Math.min(c, shot.length - 1)];
      for (let k = 0; k < count && first + k < samples.length; k++) {
        samples[first + k] += gain * Math.min(1, (count - k) / fade) * source[k];
      }
    });
  });
}

/**
 * The first beat (s, less than a beat from 0) of music of a known tempo, from its onsets.
 * @param {number[]} onsets
 * @param {number} tempo BPM
 */
export function firstBeat(onsets, tempo) {
  const beat = 60 / tempo;
  let [best, most] = [0, -1];
  for (let n = 0; n < PHASES; n++) {
    const phase = (n * beat) / PHASES;
    let sum = 0;
    for (const one of onsets) {
      const distance = Math.abs(((((one - phase) % beat) + 1.5 * beat) % beat) - beat / 2);
      sum += Math.exp(-((distance / SHARPNESS) ** 2));
    }
    if (sum > most + 1e-9) [best, most] = [phase, sum];
  }
  return best;
}

/**
 * How much faster a loop has to be played: the ratio of the tempos, folded to the nearest octave.
 * @param {number} song BPM
 * @param {number} loop BPM
 */
export function stretchRate(song, loop) {
  let rate = song / loop;
  while (rate > Math.SQRT2) rate /= 2;
  while (rate < Math.SQRT1_2) rate *= 2;
  return rate;
}

/** @type {Record<string, number>} */
const PITCHES = { C: 0, D: 2, E: 4, F: 5, G: 7, A: 9, B: 11 };

/**
 * The pitch class of a key's major scale, 0..11: that of C for A minor; null for what is not a key.
 * @param {string} key
 */
function scaleOf(key) {
  const match = /^([A-G])([#♯b♭]?)(?: ?(m|min|minor|maj|major))?$/.exec(key.trim());
  if (!match) return null;
  const [, letter, sign, mode = ""] = match;
  const tonic = PITCHES[letter] + (sign === "#" || sign === "♯" ? 1 : sign ? -1 : 0);
  return (((tonic + (/^(m|min|minor)$/.test(mode) ? 3 : 0)) % 12) + 12) % 12;
}

/**
 * Semitones from one key to another, by their scales, the shorter way; 0 where one is unknown.
 * @param {string | null | undefined} from
 * @param {string | null | undefined} to
 */
export function transposition(from, to) {
  const [a, b] = [scaleOf(from ?? ""), scaleOf(to ?? "")];
  if (a === null || b === null) return 0;
  return ((b - a + 18) % 12) - 6;
}

/**
 * The seconds, at most `length` of them, that hold most of some onsets; from just before the first of them.
 * @param {number[]} onsets
 * @param {number} length s
 * @param {number} duration s
 * @returns {Region}
 */
export function busiest(onsets, length, duration) {
  const sorted = [...onsets].sort((a, b) => a - b);
  let [best, most] = [sorted[0] ?? 0, 0];
  for (const start of sorted) {
    const count = sorted.filter((one) => one >= start && one < start + length).length;
    if (count > most) [best, most] = [start, count];
  }
  const start = Math.max(0, best - 0.01);
  return [start, Math.min(duration, start + length)];
}
