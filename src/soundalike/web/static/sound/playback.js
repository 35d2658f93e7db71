// Two ways to sound, with one face: load(), start(at, repeat), stop(), position, playing, loop(repeat).
//
// Short sounds are decoded into memory: an AudioBufferSourceNode that loops goes from its last sample to its first without a gap
// (a media element does not: it seeks, which is heard). Songs are media elements, which begin to play at any second without being
// fetched whole; their matched seconds repeat by a seek under a short fade.

import * as api from "../api.js";
import { gainFor, loudnessOf } from "./loudness.js";

const FADE = 0.012; // s, of every start, stop and switch: long enough not to click, short enough not to be noticed
const KEPT = 32; // decoded sounds

export class Engine {
  constructor() {
    this.buffers = new Map();
  }

  // Sound may begin with the first gesture only, so the context is made with the first play.
  get context() {
    if (!this.made) {
      this.made = new AudioContext({ latencyHint: "interactive" });
      // Quiet sounds are turned up; what peaks above full scale then is caught here, and nothing else is touched.
      const limit = new DynamicsCompressorNode(this.made, { threshold: -2, knee: 0, ratio: 20, attack: 0.002, release: 0.1 });
      this.meter = new AnalyserNode(this.made, { fftSize: 2048 });
      this.out = new GainNode(this.made);
      this.out.connect(limit).connect(this.meter).connect(this.made.destination);
    }
    return this.made;
  }

  // The level that is heard now: root mean square of the last 2,048 samples.
  level() {
    if (!this.made) return 0;
    const samples = new Float32Array(this.meter.fftSize);
    this.meter.getFloatTimeDomainData(samples);
    return Math.sqrt(samples.reduce((sum, value) => sum + value * value, 0) / samples.length);
  }

  // {buffer, loudness} of a short sound.
  async decoded(url) {
    if (!this.buffers.has(url)) {
      const found = this.decode(url);
      found.catch(() => this.buffers.delete(url));
      this.buffers.set(url, found);
      for (const old of this.buffers.keys()) if (this.buffers.size > KEPT) this.buffers.delete(old);
    }
    return this.buffers.get(url);
  }

  async decode(url) {
    const buffer = await this.context.decodeAudioData(await api.sound(url));
    const channels = Array.from({ length: buffer.numberOfChannels }, (_, c) => buffer.getChannelData(c));
    return { buffer, loudness: loudnessOf(channels, buffer.sampleRate) };
  }
}

function fade(node, context, to) {
  const now = context.currentTime;
  node.gain.cancelScheduledValues(now);
  node.gain.setValueAtTime(node.gain.value, now);
  node.gain.linearRampToValueAtTime(to, now + FADE);
}

// A sound that is decoded whole. Positions are seconds of the file; `offset` is where the fetched piece begins in it.
class Short {
  constructor(engine, source, ended) {
    Object.assign(this, { engine, source, ended, playing: false, at: source.start });
  }

  async load() {
    try {
      Object.assign(this, await this.engine.decoded(this.source.url));
    } catch (error) {
      throw error.name === "EncodingError" ? new Error(`this browser cannot play ${this.source.name}; it can be downloaded`) : error;
    }
  }

  async start(at, repeat) {
    const { context, out } = this.engine;
    await context.resume();
    this.silence();
    const node = new AudioBufferSourceNode(context, { buffer: this.buffer, loop: repeat });
    const gain = new GainNode(context, { gain: 0 });
    node.connect(gain).connect(out);
    const inside = Math.min(Math.max(0, at - this.source.offset), Math.max(0, this.buffer.duration - 0.001));
    node.start(0, inside);
    fade(gain, context, gainFor(this.loudness));
    node.onended = () => {
      if (this.node !== node) return;
      this.silence();
      this.at = this.source.start;
      this.ended();
    };
    Object.assign(this, { node, gain, playing: true, began: context.currentTime - inside });
  }

  get position() {
    if (!this.playing) return this.at;
    const gone = this.engine.context.currentTime - this.began;
    return this.source.offset + (this.node.loop ? gone % this.buffer.duration : Math.min(gone, this.buffer.duration));
  }

  loop(repeat) {
    if (!this.node) return;
    // A loop that is let go ends with the round it is in; the clock begins at that round.
    const rounds = Math.floor((this.engine.context.currentTime - this.began) / this.buffer.duration);
    if (!repeat && this.node.loop) this.began += rounds * this.buffer.duration;
    this.node.loop = repeat;
  }

  stop() {
    if (!this.playing) return;
    this.at = this.position;
    this.silence();
  }

  silence() {
    if (!this.node) return;
    fade(this.gain, this.engine.context, 0);
    this.node.stop(this.engine.context.currentTime + FADE);
    this.node = null;
    this.playing = false;
  }

  close() {
    this.stop();
  }
}

// A song, as a media element.
class Long {
  constructor(engine, source, ended) {
    Object.assign(this, { engine, source, playing: false });
    this.audio = new Audio();
    this.audio.preload = "auto";
    this.audio.src = source.url;
    this.audio.addEventListener("ended", () => {
      this.playing = false;
      if (this.repeat) this.start(source.start, true).catch(() => {});
      else ended();
    });
    this.audio.addEventListener("timeupdate", () => this.watch());
  }

  async load() {
    if (this.node) return;
    this.audio.currentTime = this.source.start;
    const { context, out } = this.engine;
    this.node = new MediaElementAudioSourceNode(context, { mediaElement: this.audio });
    this.gain = new GainNode(context, { gain: 0 });
    this.node.connect(this.gain).connect(out);
  }

  async start(at, repeat) {
    const { context } = this.engine;
    await context.resume();
    this.repeat = repeat;
    clearTimeout(this.pausing);
    if (Math.abs(this.audio.currentTime - at) > 0.02) this.audio.currentTime = at;
    try {
      await this.audio.play();
    } catch (error) {
      if (error.name === "AbortError") return;
      throw new Error(await this.reason());
    }
    this.playing = true;
    fade(this.gain, context, gainFor(this.source.loudness));
  }

  // Why the element cannot play: what the server says of the file, else it is the browser.
  async reason() {
    try {
      await api.reachable(this.source.url);
      return `this browser cannot play ${this.source.name}; it can be downloaded`;
    } catch (error) {
      return error.message;
    }
  }

  get position() {
    return this.audio.currentTime;
  }

  loop(repeat) {
    this.repeat = repeat;
  }

  // Called every frame and, where the page is not seen, some times a second.
  watch() {
    const { start, end } = this.source;
    if (!this.playing || !this.repeat || this.turning || this.audio.currentTime < end - FADE) return;
    this.turning = true;
    fade(this.gain, this.engine.context, 0);
    setTimeout(() => {
      this.turning = false;
      if (!this.playing) return;
      this.audio.currentTime = start;
      fade(this.gain, this.engine.context, gainFor(this.source.loudness));
    }, 1000 * FADE);
  }

  stop() {
    if (!this.playing) return;
    this.playing = false;
    fade(this.gain, this.engine.context, 0);
    this.pausing = setTimeout(() => this.audio.pause(), 2000 * FADE);
  }

  // Lets the element go: a browser has only so many.
  close() {
    this.stop();
    setTimeout(() => {
      this.audio.pause();
      this.audio.removeAttribute("src");
      this.audio.load();
      this.node?.disconnect();
      this.gain?.disconnect();
    }, 3000 * FADE);
  }
}

// The voice of a source {url, name, start, end, offset, loudness, tempo, short, kind}.
export const voiceOf = (engine, source, ended) => new (source.short ? Short : Long)(engine, source, ended);
