// Records from a microphone or line input as a WAV file, which is lossless and read by every server and browser.

const MAX_SECONDS = 600;

/**
 * A WAV file (16 bit). channels: samples in -1..1.
 * @param {Float32Array[]} channels
 * @param {number} rate Hz
 */
export function wav(channels, rate) {
  const [length, count] = [channels[0].length, channels.length];
  const view = new DataView(new ArrayBuffer(44 + 2 * length * count));
  /**
   * @param {number} at
   * @param {string} text
   */
  const write = (at, text) => [...text].forEach((letter, n) => view.setUint8(at + n, letter.charCodeAt(0)));
  write(0, "RIFF");
  view.setUint32(4, 36 + 2 * length * count, true);
  write(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, count, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, 2 * rate * count, true);
  view.setUint16(32, 2 * count, true);
  view.setUint16(34, 16, true);
  write(36, "data");
  view.setUint32(40, 2 * length * count, true);
  let at = 44;
  for (let n = 0; n < length; n++) {
    for (const samples of channels) {
      view.setInt16(at, Math.round(32767 * Math.max(-1, Math.min(1, samples[n]))), true);
      at += 2;
    }
  }
  return new Blob([view.buffer], { type: "audio/wav" });
}

/** @param {Float32Array[]} pieces */
function joined(pieces) {
  const out = new Float32Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    out.set(piece, at);
    at += piece.length;
  }
  return out;
}

/**
 * Why the browser does not record, by the name of its error.
 * @type {Record<string, string>}
 */
const REFUSED = {
  NotAllowedError: "the browser may not use the microphone; allow it in the address bar and try again",
  NotFoundError: "there is no microphone or line input on this machine",
  NotReadableError: "another program is using the microphone; close it and try again",
};

export class Recorder {
  /** @type {MediaStream | null} */
  stream = null;
  /** @type {AudioContext | null} */
  context = null;
  /** @type {Float32Array[][]} */
  channels = [];

  /**
   * onLevel: called several times a second with the recorded seconds and the peak level; onFull: the recording has reached its
   * greatest length.
   * @param {(seconds: number, level: number) => void} onLevel
   * @param {() => void} onFull
   */
  constructor(onLevel, onFull) {
    this.onLevel = onLevel;
    this.onFull = onFull;
  }

  get recording() {
    return this.stream !== null;
  }

  async start() {
    if (!navigator.mediaDevices) {
      throw new Error("browsers record only on pages of this machine (http://127.0.0.1) or with https; open the page there");
    }
    try {
      // Processing that helps speech spoils music.
      this.stream = await navigator.mediaDevices.getUserMedia({
        audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
      });
    } catch (error) {
      const { name, message } = /** @type {Error} */ (error);
      throw new Error(REFUSED[name] ?? `recording failed (${message})`);
    }
    const context = new AudioContext();
    this.context = context;
    await context.audioWorklet.addModule("recorder_worklet.js");
    if (!this.stream) return;
    this.channels = [];
    let length = 0;
    const node = new AudioWorkletNode(context, "recorder", { numberOfOutputs: 0 });
    node.port.onmessage = (/** @type {MessageEvent<Float32Array[]>} */ { data }) => {
      if (!this.stream) return;
      // A source that becomes stereo later is recorded with the channels that it began with.
      if (!this.channels.length) this.channels = data.map(() => []);
      this.channels.forEach((pieces, c) => pieces.push(data[Math.min(c, data.length - 1)]));
      length += data[0].length;
      const level = data[0].reduce((peak, value) => Math.max(peak, Math.abs(value)), 0);
      this.onLevel(length / context.sampleRate, level);
      if (length > MAX_SECONDS * context.sampleRate) this.onFull();
    };
    new MediaStreamAudioSourceNode(context, { mediaStream: this.stream }).connect(node);
  }

  /** Ends the recording; returns it as a file. */
  async stop() {
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = null;
    const { context } = this;
    await context?.close();
    if (!context || !this.channels.length) throw new Error("nothing was recorded: the input gave no sound");
    const now = new Date();
    const time = [now.getHours(), now.getMinutes(), now.getSeconds()].map((value) => String(value).padStart(2, "0")).join(".");
    const data = wav(this.channels.map(joined), context.sampleRate);
    return new File([data], `recording ${time}.wav`, { type: "audio/wav" });
  }
}
