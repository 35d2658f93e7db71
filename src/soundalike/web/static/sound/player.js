// Plays the reference (A), a hit (B), or a hit in the song (A+B), one at a time, equally loud; switching keeps the beat. A stroke
// of the song's drums is heard in between: it ends by itself, and leaves as it was what is chosen to be played.

import { syncedPosition } from "./beat_sync.js";
import { AudioEngine, playbackOf } from "./playback.js";

/** @typedef {{ voice: Voice, playback: Playback | null, controller: AbortController }} Coming */

/** @type {Side[]} */
const SIDES = ["reference", "hit", "both"];
/** @type {Voice[]} */
const VOICES = [...SIDES, "stroke"];

export class Player {
  engine = new AudioEngine();
  /**
   * The side that the controls act on: the one that was last asked for, heard or not.
   * @type {Side}
   */
  side = "hit";
  /** @type {Record<Voice, AudioSource | null>} */
  sources = { hit: null, reference: null, both: null, stroke: null };
  /** @type {Record<Voice, Playback | null>} */
  playbacks = { hit: null, reference: null, both: null, stroke: null };
  /**
   * What is heard now; null: nothing. Only `play`, `pause`, `set` and the end of the sound itself change it.
   * @type {{ voice: Voice, playback: Playback } | null}
   */
  heard = null;
  /**
   * What is about to be heard: it is loading. The end of what is heard until then does not concern it; a later play or pause
   * ends it.
   * @type {Coming | null}
   */
  coming = null;
  /**
   * Whether a kind of sound repeats.
   * @type {Record<Kind, boolean>}
   */
  repeats = { song: false, loop: true, "one-shot": false };
  following = false;

  /**
   * onState: something has started, ended, or is about to start; onTick: called for every frame while something plays;
   * onProblem(error): what was playing could not go on with its new source.
   * @param {object} options
   * @param {() => void} options.onState
   * @param {() => void} options.onTick
   * @param {(error: unknown) => void} options.onProblem
   */
  constructor({ onState, onTick, onProblem }) {
    this.onState = onState;
    this.onTick = onTick;
    this.onProblem = onProblem;
  }

  get source() {
    return this.sources[this.side];
  }

  /** Whether the chosen side is heard. */
  get playing() {
    return this.hears(this.side);
  }

  /** Whether the chosen side is loading, to be heard at once. */
  get loading() {
    return this.coming?.voice === this.side;
  }

  /** @param {Voice} voice */
  hears(voice) {
    return this.heard?.voice === voice;
  }

  /**
   * Whether a side is heard or about to be, so that a click on its button has nothing to add.
   * @param {Side} side
   */
  isOn(side) {
    return this.side === side && (this.hears(side) || this.coming?.voice === side);
  }

  /** Seconds of the file of the chosen side. */
  get position() {
    return this.positionOf(this.side);
  }

  /** @param {Voice} voice */
  positionOf(voice) {
    return this.playbacks[voice]?.position ?? this.sources[voice]?.start ?? 0;
  }

  get repeat() {
    return this.repeats[this.source?.kind ?? "song"];
  }

  /**
   * Sets what a voice plays. What was playing there ends, and the new sound is played in its place; the same sound goes on, with
   * its new seconds.
   * @param {Voice} voice
   * @param {AudioSource | null} source
   */
  set(voice, source) {
    const before = this.sources[voice];
    this.sources[voice] = source;
    const playback = this.playbacks[voice];
    if (playback && source && before?.url === source.url && before.short === source.short) {
      playback.source = source;
      return;
    }
    this.playbacks[voice] = null;
    playback?.close();
    if (!source && this.coming?.voice === voice) this.cancel();
    const goesOn = this.hears(voice) && !this.coming;
    if (this.hears(voice)) this.heard = null;
    if (source && goesOn) this.play(voice).catch(this.onProblem);
    else this.onState();
  }

  /** Ends everything: another question is asked. */
  reset() {
    this.cancel();
    for (const voice of VOICES) this.set(voice, null);
    this.side = "hit";
    this.onState();
  }

  /**
   * Plays a voice, from the second `at` of its file or from its start. What is heard continues until the other has loaded.
   * @param {Voice} [voice]
   * @param {number | (() => number | null) | null} [at]
   */
  async play(voice = this.side, at = null) {
    if (!this.sources[voice]) return;
    this.cancel();
    /** @type {Coming} */
    const coming = { voice, playback: null, controller: new AbortController() };
    this.coming = coming;
    if (voice !== "stroke") this.side = voice;
    this.onState();
    try {
      const playback = await this.started(coming, at);
      if (!playback) return;
      if (this.heard && this.heard.playback !== playback) this.heard.playback.stop();
      this.heard = playback.playing ? { voice, playback } : null;
    } catch (error) {
      this.forget(coming);
      throw error;
    } finally {
      if (this.coming === coming) {
        this.coming = null;
        this.onState();
      }
    }
    this.follow();
    if (voice !== "stroke") this.preload(voice === "hit" ? "reference" : "hit");
  }

  /**
   * Loads and starts what is coming, with the source that its voice has by then; null if it is no longer wanted.
   * @param {Coming} coming
   * @param {number | (() => number | null) | null} at
   */
  async started(coming, at) {
    const { voice } = coming;
    const { signal } = coming.controller;
    for (;;) {
      const playback = this.prepare(voice);
      if (!playback) return null;
      coming.playback = playback;
      try {
        await playback.load();
        if (signal.aborted) return null;
        if (playback !== this.playbacks[voice]) continue;
        const start = (typeof at === "function" ? at() : at) ?? playback.source.start;
        await playback.start(start, voice !== "stroke" && this.repeats[playback.source.kind]);
      } catch (error) {
        if (signal.aborted) return null;
        if (playback === this.playbacks[voice]) throw error;
      }
      if (signal.aborted) return null;
      if (playback === this.playbacks[voice]) return playback;
    }
  }

  /**
   * Forgets a playback that failed, so that the next attempt begins from nothing; what is heard is chosen again.
   * @param {Coming} coming
   */
  forget({ voice, playback }) {
    this.playbacks[voice] = null;
    playback?.close();
    if (this.heard?.playback === playback) this.heard = null;
    if (this.heard && this.heard.voice !== "stroke") this.side = this.heard.voice;
  }

  /** What is about to be heard no longer is. */
  cancel() {
    const { coming, heard } = this;
    this.coming = null;
    coming?.controller.abort();
    if (coming?.playback !== heard?.playback) coming?.playback?.stop();
  }

  /**
   * The playback of a voice, made if there is none; null without a source.
   * @param {Voice} voice
   */
  prepare(voice) {
    const source = this.sources[voice];
    return source && (this.playbacks[voice] ??= this.makePlayback(source));
  }

  /** @param {AudioSource} source */
  makePlayback(source) {
    /** @type {Playback} */
    const playback = playbackOf(this.engine, source, () => this.ended(playback));
    return playback;
  }

  /**
   * A sound has come to its end.
   * @param {Playback} playback
   */
  ended(playback) {
    if (this.heard?.playback === playback) this.heard = null;
    this.onState();
  }

  /**
   * Loads another side, so that a switch to it is immediate.
   * @param {Side} side
   */
  preload(side) {
    if (this.playbacks[side]) return;
    const playback = this.prepare(side);
    playback?.load().catch(() => {
      if (this.playbacks[side] === playback) this.playbacks[side] = null; // reported when it is to be played
    });
  }

  /**
   * Switches to a side (between A and B if none is given), to the same beat, or the same second where both are of the song.
   * @param {Side} [side]
   */
  async switchSide(side = this.side === "hit" ? "reference" : "hit") {
    if (!this.sources[side]) {
      throw new Error(side === "reference" ? "there is no reference to switch to; drop a song first" : "choose a hit first");
    }
    await this.play(side, () => {
      const [heard, to] = [this.heard, this.sources[side]];
      if (!heard || heard.voice === "stroke" || heard.voice === side || !to) return null;
      const { source, position } = heard.playback;
      if (heard.voice === "hit" || side === "hit") return side === "both" ? null : syncedPosition(source, to, position);
      return position >= to.offset && position < to.end ? position : null; // both are the song
    });
  }

  /** Pauses the side that is heard or loading, otherwise plays the chosen one. */
  async toggle() {
    if (this.isOn(this.side)) return this.pause();
    const side = this.source ? this.side : SIDES.find((one) => this.sources[one]);
    if (side) await this.play(side, this.playbacks[side] && side === this.side ? this.position : null);
  }

  pause() {
    this.cancel();
    this.heard?.playback.stop();
    this.heard = null;
    this.onState();
  }

  /** Switches repeating on or off for the kind of sound that is playing. */
  toggleLoop() {
    const kind = this.source?.kind ?? "song";
    this.repeats[kind] = !this.repeats[kind];
    for (const side of SIDES) {
      if (this.sources[side]?.kind === kind) this.playbacks[side]?.loop(this.repeats[kind]);
    }
    this.onState();
  }

  /**
   * Loads a short sound that is likely to be played next.
   * @param {AudioSource} source
   */
  prefetch(source) {
    if (source.short && this.engine.graph) this.engine.decoded(source).catch(() => {});
  }

  /** The output level, 0..1. */
  level() {
    return this.engine.level();
  }

  /** Calls onTick for every frame until nothing plays any more. */
  follow() {
    if (this.following) return;
    this.following = true;
    const frame = () => {
      this.heard?.playback.update?.();
      this.following = this.heard !== null;
      this.onTick();
      if (this.following) requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }
}
