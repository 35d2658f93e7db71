// Two ways to play a sound, with the same interface (Playback in types.d.ts).
//
// Short sounds are decoded into memory: an AudioBufferSourceNode loops from its last sample to its first without a gap, while a
// media element has to seek, which is audible. Songs are media elements, which start at any second without being downloaded
// completely; their matched seconds repeat by a seek under a short fade.

import * as api from "../api.js";
import { gainFor, loudnessOf } from "./loudness.js";

const FADE = 0.012; // s, of every start, stop and switch: long enough not to click, too short to be noticed
const MAX_DECODED = 32; // sounds

/** @typedef {{ buffer: AudioBuffer, loudness: number }} DecodedSound */

export class AudioEngine {
  /** @type {Map<string, Promise<DecodedSound>>} */
  decodedSounds = new Map();
  /** @type {{ context: AudioContext, output: GainNode, meter: AnalyserNode } | null} */
  graph = null;

  /** The audio graph. Browsers allow sound only after a user gesture, so it is made when something is first played. */
  open() {
    if (!this.graph) {
      const context = new AudioContext({ latencyHint: "interactive" });
      // Quiet sounds are amplified; peaks above full scale are limited here, and nothing else is changed.
      const limiter = new DynamicsCompressorNode(context, { threshold: -2, knee: 0, ratio: 20, attack: 0.002, release: 0.1 });
      const meter = new AnalyserNode(context, { fftSize: 2048 });
      const output = new GainNode(context);
      output.connect(limiter).connect(meter).connect(context.destination);
      this.graph = { context, output, meter };
    }
    return this.graph;
  }

  /** The output level: RMS of the last 2,048 samples. */
  level() {
    if (!this.graph) return 0;
    const { meter } = this.graph;
    const samples = new Float32Array(meter.fftSize);
    meter.getFloatTimeDomainData(samples);
    return Math.sqrt(samples.reduce((sum, value) => sum + value * value, 0) / samples.length);
  }

  /**
   * Decodes (or renders) a short sound, or takes it from the cache.
   * @param {Pick<AudioSource, "url" | "render">} source
   */
  decoded({ url, render }) {
    let sound = this.decodedSounds.get(url);
    if (!sound) {
      sound = this.decode(url, render);
      sound.catch(() => this.decodedSounds.delete(url));
      this.decodedSounds.set(url, sound);
      for (const old of this.decodedSounds.keys()) if (this.decodedSounds.size > MAX_DECODED) this.decodedSounds.delete(old);
    }
    return sound;
  }

  /**
   * @param {string} url
   * @param {AudioSource["render"]} render
   * @returns {Promise<DecodedSound>}
   */
  async decode(url, render) {
    const { context } = this.open();
    const buffer = await (render ? render(context, new AbortController().signal) : context.decodeAudioData(await api.audioData(url)));
    const channels = Array.from({ length: buffer.numberOfChannels }, (_, c) => buffer.getChannelData(c));
    return { buffer, loudness: loudnessOf(channels, buffer.sampleRate) };
  }
}

/**
 * @param {GainNode} node
 * @param {number} gain
 */
function fadeTo(node, gain) {
  const now = node.context.currentTime;
  node.gain.cancelScheduledValues(now);
  node.gain.setValueAtTime(node.gain.value, now);
  node.gain.linearRampToValueAtTime(gain, now + FADE);
}

/** @param {AudioSource} source */
const cannotPlay = ({ name }) => new Error(`this browser cannot play ${name}; download it to listen to it`);

/**
 * A sound that is decoded into memory. Positions are seconds of the whole file.
 * @implements {Playback}
 */
class BufferPlayback {
  /** @type {DecodedSound | null} */
  sound = null;
  /** @type {{ node: AudioBufferSourceNode, gain: GainNode, buffer: AudioBuffer } | null} */
  active = null;
  /** The context's time at which the buffer's first sample was, or would have been, played. */
  startTime = 0;
  /** Counts starts and stops: a start that a later one has overtaken changes nothing more. */
  turn = 0;

  /**
   * @param {AudioEngine} engine
   * @param {AudioSource} source
   * @param {() => void} onEnd
   */
  constructor(engine, source, onEnd) {
    this.engine = engine;
    this.source = source;
    this.onEnd = onEnd;
    this.pausedAt = source.start;
  }

  get playing() {
    return this.active !== null;
  }

  async load() {
    try {
      this.sound = await this.engine.decoded(this.source);
    } catch (error) {
      throw error instanceof DOMException && error.name === "EncodingError" ? cannotPlay(this.source) : error;
    }
  }

  /**
   * @param {number} at
   * @param {boolean} repeat
   */
  async start(at, repeat) {
    const turn = ++this.turn;
    const { context, output } = this.engine.open();
    await context.resume();
    if (turn !== this.turn) return;
    this.silence();
    if (!this.sound) return;
    const { buffer, loudness } = this.sound;
    const node = new AudioBufferSourceNode(context, { buffer, loop: repeat });
    const gain = new GainNode(context, { gain: 0 });
    node.connect(gain).connect(output);
    const inside = Math.min(Math.max(0, at - this.source.offset), Math.max(0, buffer.duration - 0.001));
    node.start(0, inside);
    fadeTo(gain, gainFor(loudness));
    node.onended = () => {
      if (this.active?.node !== node) return;
      this.silence();
      this.pausedAt = this.source.start;
      this.onEnd();
    };
    this.active = { node, gain, buffer };
    this.startTime = context.currentTime - inside;
  }

  get position() {
    if (!this.active) return this.pausedAt;
    const { node, buffer } = this.active;
    const elapsed = node.context.currentTime - this.startTime;
    return this.source.offset + (node.loop ? elapsed % buffer.duration : Math.min(elapsed, buffer.duration));
  }

  /** @param {boolean} repeat */
  loop(repeat) {
    if (!this.active) return;
    const { node, buffer } = this.active;
    // Where looping is switched off, the present round is the last: time counts from its start.
    const rounds = Math.floor((node.context.currentTime - this.startTime) / buffer.duration);
    if (!repeat && node.loop) this.startTime += rounds * buffer.duration;
    node.loop = repeat;
  }

  stop() {
    this.turn++;
    if (!this.active) return;
    this.pausedAt = this.position;
    this.silence();
  }

  silence() {
    if (!this.active) return;
    const { node, gain } = this.active;
    this.active = null;
    fadeTo(gain, 0);
    node.stop(node.context.currentTime + FADE);
  }

  close() {
    this.stop();
  }
}

/**
 * A song as a media element.
 * @implements {Playback}
 */
class StreamPlayback {
  playing = false;
  repeat = false;
  seeking = false;
  pauseTimer = 0;
  /** Counts starts and stops: a start that a later one has overtaken changes nothing more. */
  turn = 0;
  /** Whether a start is under way: until then, the position is that of what was heard before. */
  starting = false;
  /** @type {{ node: MediaElementAudioSourceNode, gain: GainNode } | null} */
  nodes = null;

  /**
   * @param {AudioEngine} engine
   * @param {AudioSource} source
   * @param {() => void} onEnd
   */
  constructor(engine, source, onEnd) {
    this.engine = engine;
    this.source = source;
    this.onEnd = onEnd;
    this.audio = new Audio();
    this.audio.preload = "auto";
    this.audio.src = source.url;
    this.audio.addEventListener("ended", () => {
      if (this.starting) return;
      this.playing = false;
      if (this.repeat) this.start(this.source.start, true).catch(() => {});
      else onEnd();
    });
    this.audio.addEventListener("timeupdate", () => this.update());
  }

  async load() {
    if (this.nodes) return;
    this.audio.currentTime = this.source.start;
    const { context, output } = this.engine.open();
    const node = new MediaElementAudioSourceNode(context, { mediaElement: this.audio });
    const gain = new GainNode(context, { gain: 0 });
    node.connect(gain).connect(output);
    this.nodes = { node, gain };
  }

  /** @param {number} gain */
  fadeTo(gain) {
    if (this.nodes) fadeTo(this.nodes.gain, gain);
  }

  /**
   * @param {number} at
   * @param {boolean} repeat
   */
  async start(at, repeat) {
    const turn = ++this.turn;
    clearTimeout(this.pauseTimer);
    this.starting = true;
    try {
      await this.engine.open().context.resume();
      if (turn !== this.turn) return;
      if (Math.abs(this.audio.currentTime - at) > 0.02) this.audio.currentTime = at;
      await this.audio.play();
    } catch (error) {
      if (api.isAbort(error) || turn !== this.turn) return;
      await api.checkAudio(this.source.url); // raises what the server says about the file
      throw cannotPlay(this.source);
    } finally {
      if (turn === this.turn) this.starting = false;
    }
    if (turn !== this.turn) return;
    this.repeat = repeat;
    this.playing = true;
    this.fadeTo(gainFor(this.source.loudness));
  }

  get position() {
    return this.audio.currentTime;
  }

  /** @param {boolean} repeat */
  loop(repeat) {
    this.repeat = repeat;
  }

  /**
   * Called for every frame and, while the page is hidden, several times a second: at the end of its seconds, a source that stops
   * there ends, and matched seconds repeat.
   */
  update() {
    const { start, end, stops } = this.source;
    if (!this.playing || this.starting || this.seeking || this.audio.currentTime < end - FADE) return;
    if (stops) {
      this.stop();
      this.onEnd();
    } else if (this.repeat) this.jump(start);
  }

  /** @param {number} second */
  jump(second) {
    const { turn } = this;
    this.seeking = true;
    this.fadeTo(0);
    setTimeout(() => {
      this.seeking = false;
      if (turn !== this.turn) return;
      this.audio.currentTime = second;
      this.fadeTo(gainFor(this.source.loudness));
    }, 1000 * FADE);
  }

  stop() {
    this.turn++;
    this.playing = this.starting = false;
    this.fadeTo(0);
    clearTimeout(this.pauseTimer);
    this.pauseTimer = window.setTimeout(() => this.audio.pause(), 2000 * FADE);
  }

  /** Releases the element: a browser has only so many. */
  close() {
    this.stop();
    setTimeout(() => {
      this.audio.pause();
      this.audio.removeAttribute("src");
      this.audio.load();
      this.nodes?.node.disconnect();
      this.nodes?.gain.disconnect();
    }, 3000 * FADE);
  }
}

/**
 * @param {AudioEngine} engine
 * @param {AudioSource} source
 * @param {() => void} onEnd
 * @returns {Playback}
 */
export const playbackOf = (engine, source, onEnd) => new (source.short ? BufferPlayback : StreamPlayback)(engine, source, onEnd);
