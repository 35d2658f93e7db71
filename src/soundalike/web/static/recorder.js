// Records from a microphone or line input as a WAV file: lossless, and every server and browser reads it.

const LONGEST = 600; // s

// A WAV file (16 bit) of channels (Float32Arrays in -1..1).
export function wav(channels, rate) {
  const [length, count] = [channels[0].length, channels.length];
  const view = new DataView(new ArrayBuffer(44 + 2 * length * count));
  const text = (at, words) => [...words].forEach((letter, n) => view.setUint8(at + n, letter.charCodeAt(0)));
  text(0, "RIFF");
  view.setUint32(4, 36 + 2 * length * count, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, count, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, 2 * rate * count, true);
  view.setUint16(32, 2 * count, true);
  view.setUint16(34, 16, true);
  text(36, "data");
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

function joined(pieces) {
  const out = new Float32Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    out.set(piece, at);
    at += piece.length;
  }
  return out;
}

const REFUSED = {
  NotAllowedError: "the browser was not allowed to use the microphone; allow it in the address bar and try again",
  NotFoundError: "there is no microphone or line input on this machine",
  NotReadableError: "the microphone is in use by another program; close that and try again",
};

export class Recorder {
  // onLevel(seconds, peak): some times a second; onFull(): the longest recording is reached.
  constructor(onLevel, onFull) {
    Object.assign(this, { onLevel, onFull, stream: null });
  }

  get recording() {
    return this.stream !== null;
  }

  async start() {
    if (!navigator.mediaDevices) {
      throw new Error("browsers record only on pages of the machine itself (http://127.0.0.1) or with https; open the page there");
    }
    try {
      // What helps speech spoils music.
      this.stream = await navigator.mediaDevices.getUserMedia({
        audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
      });
    } catch (error) {
      throw new Error(REFUSED[error.name] ?? `nothing can be recorded (${error.message})`);
    }
    this.context = new AudioContext();
    await this.context.audioWorklet.addModule("record-worklet.js");
    if (!this.stream) return;
    this.channels = [];
    let length = 0;
    const tap = new AudioWorkletNode(this.context, "tap", { numberOfOutputs: 0 });
    tap.port.onmessage = ({ data }) => {
      if (!this.stream) return;
      // A source that turns stereo later is kept as it began.
      if (!this.channels.length) this.channels = data.map(() => []);
      this.channels.forEach((pieces, c) => pieces.push(data[Math.min(c, data.length - 1)]));
      length += data[0].length;
      this.onLevel(length / this.context.sampleRate, data[0].reduce((most, value) => Math.max(most, Math.abs(value)), 0));
      if (length > LONGEST * this.context.sampleRate) this.onFull();
    };
    new MediaStreamAudioSourceNode(this.context, { mediaStream: this.stream }).connect(tap);
  }

  // The recording as a file.
  async stop() {
    for (const track of this.stream.getTracks()) track.stop();
    this.stream = null;
    const rate = this.context.sampleRate;
    await this.context.close();
    if (!this.channels?.length) throw new Error("nothing was recorded; the input gave no sound");
    const now = new Date();
    const stamp = [now.getHours(), now.getMinutes(), now.getSeconds()].map((value) => String(value).padStart(2, "0")).join(".");
    return new File([wav(this.channels.map(joined), rate)], `recording ${stamp}.wav`, { type: "audio/wav" });
  }
}
