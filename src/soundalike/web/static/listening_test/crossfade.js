// Equal-power gain ramps. A ramp is described by angles from 0 (silent) to pi/2 (full): the gain is the sine of the angle, and
// the powers of two sounds that are exchanged add up to 1 at every moment.

export const RAMP = 0.02; // s: long enough not to click, too short to be noticed
const POINTS = 65;

/**
 * The gains of a ramp.
 * @param {boolean} up
 */
export function rampCurve(up) {
  const curve = new Float32Array(POINTS);
  for (let n = 0; n < POINTS; n++) {
    const share = n / (POINTS - 1);
    curve[n] = Math.sin((Math.PI / 2) * (up ? share : 1 - share));
  }
  curve[up ? 0 : POINTS - 1] = 0;
  return curve;
}

/**
 * Fades out the first and last milliseconds of a sound, so that it repeats without a click.
 * @param {Float32Array} samples changed in place
 * @param {number} rate Hz
 */
export function softenEnds(samples, rate) {
  const length = Math.min(Math.round(0.005 * rate), Math.floor(samples.length / 2));
  for (let n = 0; n < length; n++) {
    const gain = Math.sin((Math.PI / 2) * (n / length));
    samples[n] *= gain;
    samples[samples.length - 1 - n] *= gain;
  }
}
