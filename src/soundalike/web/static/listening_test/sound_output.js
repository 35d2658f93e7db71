// The sound of the page: one audio graph with the listener's volume, and the excerpts decoded into memory.

import { softenEnds } from "./crossfade.js";
import { SIDES } from "./mixer.js";
import * as api from "./test_api.js";

const VOLUME = "soundalike-volume";
const MAX_TRIALS = 3; // decoded excerpts of so many trials are kept

const stored = () => {
  try {
    return localStorage.getItem(VOLUME);
  } catch {
    return null; // storage is blocked: the volume is that of the page's start
  }
};

export class SoundOutput {
  /** @type {{ context: AudioContext, output: GainNode, meter: AnalyserNode } | null} */
  graph = null;
  /** Whether the listener has set the volume in this browser. */
  volumeWasSet = stored() !== null;
  /** dB, 0 at most. */
  volume = Number(stored() ?? -6) || 0;
  /** @type {Map<string, Promise<BySide<AudioBuffer>>>} */
  trials = new Map();

  /** The graph; it is silent until `resume` is called after a gesture of the listener. */
  open() {
    if (!this.graph) {
      const context = new AudioContext({ latencyHint: "interactive" });
      const output = new GainNode(context, { gain: 10 ** (this.volume / 20) });
      const meter = new AnalyserNode(context, { fftSize: 2048 });
      output.connect(meter).connect(context.destination);
      this.graph = { context, output, meter };
    }
    return this.graph;
  }

  /** Whether sound can be heard: browsers allow it after a gesture, and phones may interrupt it. */
  get running() {
    return this.graph?.context.state === "running";
  }

  async resume() {
    const { context } = this.open();
    if (context.state !== "running") await context.resume();
  }

  /** @param {number} decibels */
  setVolume(decibels) {
    this.volume = decibels;
    const { context, output } = this.open();
    output.gain.setTargetAtTime(10 ** (decibels / 20), context.currentTime, 0.02);
    try {
      localStorage.setItem(VOLUME, String(decibels));
    } catch {
      // storage is blocked: it lasts as long as the page
    }
  }

  /** The level of what is heard: RMS of the last 2,048 samples. */
  level() {
    if (!this.graph) return 0;
    const samples = new Float32Array(this.graph.meter.fftSize);
    this.graph.meter.getFloatTimeDomainData(samples);
    return Math.sqrt(samples.reduce((sum, value) => sum + value * value, 0) / samples.length);
  }

  /**
   * The excerpts of a trial, decoded; loaded again after a failure.
   * @param {string} trial
   */
  buffers(trial) {
    let loading = this.trials.get(trial);
    if (!loading) {
      loading = this.load(trial);
      loading.catch(() => this.trials.delete(trial));
      this.trials.set(trial, loading);
      for (const old of this.trials.keys()) if (this.trials.size > MAX_TRIALS) this.trials.delete(old);
    }
    return loading;
  }

  /**
   * @param {string} trial
   * @returns {Promise<BySide<AudioBuffer>>}
   */
  async load(trial) {
    const { context } = this.open();
    const [x, a, b] = await Promise.all(
      SIDES.map(async (side) => {
        const buffer = await context.decodeAudioData(await api.clip(trial, side));
        for (let c = 0; c < buffer.numberOfChannels; c++) softenEnds(buffer.getChannelData(c), buffer.sampleRate);
        return buffer;
      }),
    );
    return { x, a, b };
  }
}

export const sound = new SoundOutput();
