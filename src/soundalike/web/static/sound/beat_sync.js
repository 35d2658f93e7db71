// Where one sound continues when playback switches to it from another. Pure functions without access to the page.

/**
 * Seconds and BPM.
 * @typedef {{ start: number, end: number, tempo: number | null, kind?: Kind }} Timing
 */

const MAX_RATIO = 2.1; // tempos further apart than about an octave are not taken for the same beat

/**
 * The ratio of two tempos, folded to the nearest octave; 1 where one is unknown.
 * @param {Timing} from
 * @param {Timing} to
 */
function tempoRatio(from, to) {
  if (!from.tempo || !to.tempo) return 1;
  let ratio = from.tempo / to.tempo;
  while (ratio > Math.SQRT2) ratio /= 2;
  while (ratio < Math.SQRT1_2) ratio *= 2;
  return ratio > 1 / MAX_RATIO && ratio < MAX_RATIO ? ratio : 1;
}

/**
 * The position (s) in `to` that is as many beats after its start as `position` is after the start of `from`, or as many seconds
 * where a tempo is unknown. Past its end it starts again, so that the beat is kept.
 * @param {Timing} from
 * @param {Timing} to
 * @param {number} position
 */
export function syncedPosition(from, to, position) {
  if (from.kind === "one-shot" || to.kind === "one-shot") return to.start; // a struck sound is heard from its beginning
  const length = to.end - to.start;
  const elapsed = Math.max(0, position - from.start) * tempoRatio(from, to);
  return length > 0 ? to.start + (elapsed % length) : to.start;
}
