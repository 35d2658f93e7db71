// Loops stretched to another tempo and transposed, by Signalsmith Stretch (WebAssembly in an audio worklet).

import SignalsmithStretch from "../vendor/signalsmith-stretch.js";

// The worklet is loaded from a file of the page, not from a blob, which the page's policy forbids.
SignalsmithStretch.moduleUrl = new URL("../vendor/signalsmith-stretch.js", import.meta.url).href;

/**
 * `seconds` of a loop, repeated as often as it takes, at another speed and pitch.
 * @param {AudioBuffer} loop
 * @param {{ rate: number, semitones: number, seconds: number, sampleRate: number }} options
 */
export async function stretched(loop, { rate, semitones, seconds, sampleRate }) {
  // Repeated by hand: the stretcher's own loop would lose its latency at each seam.
  const length = Math.ceil((seconds * rate + 0.5) * loop.sampleRate);
  const channels = [0, 1].map((c) => {
    const source = loop.getChannelData(Math.min(c, loop.numberOfChannels - 1));
    return Float32Array.from({ length }, (_, n) => source[n % source.length]);
  });
  if (Math.abs(rate - 1) < 1e-3 && !semitones) return channels;
  const context = new OfflineAudioContext(2, Math.ceil(seconds * sampleRate), sampleRate);
  const node = await SignalsmithStretch(context, { numberOfInputs: 0, numberOfOutputs: 1, outputChannelCount: [2] });
  await node.addBuffers(channels);
  await node.schedule({ active: true, input: 0, output: 0, rate, semitones });
  node.connect(context.destination);
  const buffer = await context.startRendering();
  return [buffer.getChannelData(0), buffer.getChannelData(1)];
}
