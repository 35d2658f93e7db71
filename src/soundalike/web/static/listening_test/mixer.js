// X, A and B of a trial, played at the same time from one position. Three sources start together and repeat together; what is
// heard is chosen by their gains, so that a switch neither stops the music nor moves it.

import { RAMP, rampCurve } from "./crossfade.js";

/** @type {TrialSide[]} */
export const SIDES = ["x", "a", "b"];
const DELAY = 0.03; // s, from the call to the first sample: all sources are ready then
const LEAD = 0.02; // s, from a switch to its ramps, so that both are set before either begins, on a busy machine too
const EDGE = 0.001; // s

/**
 * @template T
 * @param {(side: TrialSide) => T} value
 * @returns {BySide<T>}
 */
const bySide = (value) => ({ x: value("x"), a: value("a"), b: value("b") });

export class TrialMixer {
  /** @type {TrialSide} */
  side = "x";
  switches = 0;
  /** @type {BySide<AudioBufferSourceNode> | null} */
  sources = null;
  /** The context's times of the first sample and of position 0, while it plays. */
  startsAt = 0;
  origin = 0;
  pausedAt = 0;
  /** The context's time at which the gains rest again: ramps must not overlap. */
  restsAt = 0;
  /** The context's time from which the present side is counted as heard. */
  countedFrom = 0;
  /** @type {BySide<number>} */
  heardSeconds = { x: 0, a: 0, b: 0 };

  /**
   * @param {BaseAudioContext} context
   * @param {AudioNode} output
   * @param {BySide<AudioBuffer>} buffers
   */
  constructor(context, output, buffers) {
    this.context = context;
    this.buffers = buffers;
    /** Seconds: the shortest of the three, so that they repeat together. */
    this.duration = Math.min(...SIDES.map((side) => buffers[side].duration));
    this.gains = bySide(() => new GainNode(context, { gain: 0 }));
    for (const side of SIDES) this.gains[side].connect(output);
  }

  get playing() {
    return this.sources !== null;
  }

  /** Seconds from the start of the excerpts; one position for all three. */
  get position() {
    if (!this.sources) return this.pausedAt;
    return (Math.max(this.context.currentTime, this.startsAt) - this.origin) % this.duration;
  }

  play() {
    if (this.sources) return;
    const when = Math.max(this.context.currentTime + DELAY, this.restsAt);
    const offset = Math.min(this.pausedAt, this.duration - EDGE);
    this.sources = bySide((side) => {
      const source = new AudioBufferSourceNode(this.context, { buffer: this.buffers[side], loop: true, loopEnd: this.duration });
      source.connect(this.gains[side]);
      source.start(when, offset);
      return source;
    });
    this.startsAt = this.countedFrom = when;
    this.origin = when - offset;
    this.ramp({ [this.side]: true }, when);
  }

  pause() {
    if (!this.sources) return;
    this.count();
    this.pausedAt = this.position;
    const end = this.ramp({ [this.side]: false }, this.context.currentTime);
    for (const side of SIDES) this.sources[side].stop(end + EDGE);
    this.sources = null;
  }

  toggle() {
    if (this.playing) this.pause();
    else this.play();
  }

  /**
   * Moves all three to a position.
   * @param {number} seconds
   */
  seek(seconds) {
    const { playing } = this;
    this.pause();
    this.pausedAt = Math.min(Math.max(0, seconds), this.duration - EDGE);
    if (playing) this.play();
  }

  /**
   * Makes another of the three audible at the present position.
   * @param {TrialSide} side
   */
  switchTo(side) {
    if (side === this.side) return;
    this.count();
    if (this.sources) this.ramp({ [this.side]: false, [side]: true }, this.context.currentTime + LEAD);
    this.side = side;
    this.switches++;
  }

  /** Seconds that each side was heard until now. */
  get heard() {
    this.count();
    return { ...this.heardSeconds };
  }

  /** Stops for good. */
  close() {
    this.pause();
    const gains = Object.values(this.gains);
    if (this.context instanceof AudioContext) setTimeout(() => gains.forEach((gain) => gain.disconnect()), 200);
  }

  /** Adds what has been heard since the last call. */
  count() {
    if (!this.sources) return;
    const now = this.context.currentTime;
    this.heardSeconds[this.side] += Math.max(0, now - this.countedFrom);
    this.countedFrom = Math.max(now, this.countedFrom);
  }

  /**
   * Ramps gains up or down together, after earlier ramps; returns when they end.
   * @param {Partial<BySide<boolean>>} targets
   * @param {number} from
   */
  ramp(targets, from) {
    const start = Math.max(from, this.restsAt);
    for (const side of SIDES) {
      const up = targets[side];
      if (up !== undefined) this.gains[side].gain.setValueCurveAtTime(rampCurve(up), start, RAMP);
    }
    // A little more than the ramp: rounding to the sample must not make two curves overlap.
    this.restsAt = start + RAMP + EDGE;
    return this.restsAt;
  }
}
