// What is played as A+B: the reference with a hit in it, rendered when it is first played.

import * as api from "../api.js";
import { fileName } from "../format.js";
import { busiest, firstBeat, gate, strike, stretchRate, transposition, without } from "./together.js";

const EXCERPT = 12; // s of a song that are heard with a one-shot where no region is selected
const BARS = 4; // ... and with a loop
const MOST = 40; // s

/** @param {AudioBuffer} buffer */
const channelsOf = (buffer) => Array.from({ length: buffer.numberOfChannels }, (_, c) => buffer.getChannelData(c));

/**
 * @param {AudioContext} context
 * @param {string} url
 * @param {AbortSignal} signal
 */
const decoded = async (context, url, signal) => context.decodeAudioData(await api.audioData(url, signal));

/**
 * @param {Float32Array[]} channels
 * @param {number} sampleRate
 */
function bufferOf(channels, sampleRate) {
  const buffer = new AudioBuffer({ length: channels[0].length, numberOfChannels: channels.length, sampleRate });
  channels.forEach((samples, c) => buffer.copyToChannel(/** @type {Float32Array<ArrayBuffer>} */ (samples), c));
  return buffer;
}

/**
 * What to play; a string says why nothing can be.
 * @param {import("../question.js").Question} question
 * @param {Hit} hit
 * @param {{ part: string | null, transposed: boolean }} options part: the one that the hit is compared with; transposed: whether
 *   a loop is transposed to the key of the song
 * @returns {AudioSource | string}
 */
export function inTheSong(question, hit, { part, transposed }) {
  const { sound } = question;
  if (!sound?.url || question.isClip) return "A+B needs a song as the reference";
  if (hit.item.kind === "one-shot") return withOneShots(question, sound, hit.item);
  if (hit.item.kind === "loop") return withLoop(question, sound, hit.item, { part: part ?? "mix", transposed });
  return "A+B plays one-shots and loops in the song";
}

/**
 * @param {import("../question.js").Question} question
 * @param {ReferenceSound} sound
 * @param {Item} shot
 * @returns {AudioSource | string}
 */
function withOneShots(question, sound, shot) {
  const { onsets, region, id } = question;
  if (!onsets?.groups.length) return "the drum hits of the song are not known yet";
  const group = onsets.groups[question.group ?? 0];
  const [start, end] = region ?? busiest(group.starts, EXCERPT, sound.duration);
  const last = Math.min(end, start + MOST);
  const spans = group.starts.map((one, n) => ({ start: one - start, end: group.ends[n] - start })).filter((one) => one.start >= 0 && one.start < last - start);
  if (!spans.length) return "none of these hits is in the selected seconds";
  return {
    ...common(sound, shot, start, last),
    url: `together:${JSON.stringify([id, onsets.part, question.group ?? 0, start, last, shot.id])}`,
    render: async (context, signal) => {
      const [song, stem, hit] = await Promise.all([
        decoded(context, api.excerpt(id, start, last), signal),
        decoded(context, api.stemAudio(id, onsets.part, start, last), signal),
        decoded(context, api.itemAudio(shot.id), signal),
      ]);
      const drums = stem.getChannelData(0);
      const out = without(channelsOf(song), drums, gate(song.length, song.sampleRate, spans));
      strike(out, song.sampleRate, { shot: channelsOf(hit), stem: drums, spans });
      return bufferOf(out, song.sampleRate);
    },
  };
}

/**
 * @param {import("../question.js").Question} question
 * @param {ReferenceSound} sound
 * @param {Item} loop
 * @param {{ part: string, transposed: boolean }} options
 * @returns {AudioSource | string}
 */
function withLoop(question, sound, loop, { part, transposed }) {
  const { region, id, onsets } = question;
  if (!sound.tempo || !loop.tempo) return `the tempo of ${sound.tempo ? "the loop" : "the song"} is not known`;
  const [songTempo, loopTempo] = [sound.tempo, loop.tempo];
  const beat = 60 / songTempo;
  const all = onsets?.groups.flatMap(({ starts }) => starts) ?? [];
  const phase = firstBeat(all, songTempo);
  const from = region ? region[0] : question.start;
  const start = Math.min(Math.max(0, phase + Math.ceil((from - phase) / beat - 1e-3) * beat), Math.max(0, sound.duration - beat));
  const wanted = region ? region[1] - start : BARS * 4 * beat;
  const beats = Math.max(1, Math.floor(Math.min(wanted, MOST, sound.duration - start) / beat + 1e-6));
  const end = start + beats * beat;
  const semitones = transposed ? transposition(loop.key, sound.key) : 0;
  return {
    ...common(sound, loop, start, end),
    url: `together:${JSON.stringify([id, part, start, end, loop.id, semitones])}`,
    render: async (context, signal) => {
      const [song, stem, audio, { stretched }] = await Promise.all([
        decoded(context, api.excerpt(id, start, end), signal),
        part === "mix" ? null : decoded(context, api.stemAudio(id, part, start, end), signal),
        decoded(context, api.itemAudio(loop.id), signal),
        import("./stretch.js"),
      ]);
      const rate = stretchRate(songTempo, loopTempo);
      const added = await stretched(audio, { rate, semitones, seconds: song.duration, sampleRate: song.sampleRate });
      const out = stem ? without(channelsOf(song), stem.getChannelData(0), new Float32Array(song.length).fill(1)) : channelsOf(song).map((samples) => samples.slice());
      const gain = stem ? level(stem.getChannelData(0)) / (level(added[0]) || 1) : 0.7;
      out.forEach((samples, c) => {
        const source = added[Math.min(c, added.length - 1)];
        for (let n = 0; n < samples.length; n++) samples[n] += Math.min(4, gain) * (source[n] ?? 0);
      });
      return bufferOf(out, song.sampleRate);
    },
  };
}

/** @param {Float32Array} samples */
const level = (samples) => Math.sqrt(samples.reduce((sum, value) => sum + value * value, 0) / samples.length);

/**
 * @param {ReferenceSound} sound
 * @param {Item} item
 * @param {number} start
 * @param {number} end
 */
const common = (sound, item, start, end) => ({
  name: `${fileName(item)} in ${fileName(sound)}`,
  start,
  end,
  offset: start,
  loudness: null,
  tempo: sound.tempo ?? null,
  short: true,
  kind: /** @type {Kind} */ ("loop"),
});
