// Plays the reference (A), a hit (B), or a hit in the song (A+B), one at a time, equally loud; switching keeps the beat.

import { syncedPosition } from "./beat_sync.js";
import { AudioEngine, playbackOf } from "./playback.js";

/** @type {Side[]} */
const SIDES = ["reference", "hit", "both"];

export class Player {
  engine = new AudioEngine();
  /** @type {Side} */
  side = "hit";
  /** @type {Record<Side, AudioSource | null>} */
  sources = { hit: null, reference: null, both: null };
  /** @type {Record<Side, Playback | null>} */
  playbacks = { hit: null, reference: null, both: null };
  /**
   * Whether a kind of sound repeats.
   * @type {Record<Kind, boolean>}
   */
  repeats = { song: false, loop: true, "one-shot": false };
  /**
   * The second at which the player pauses by itself; null: at the end.
   * @type {number | null}
   */
  until = null;
  /** What is about to be played: a later play or pause ends it. */
  starting = new AbortController();
  following = false;

  /**
   * onState: something has started or ended; onTick: called for every frame while something plays.
   * @param {() => void} onState
   * @param {() => void} onTick
   */
  constructor(onState, onTick) {
    this.onState = onState;
    this.onTick = onTick;
  }

  get source() {
    return this.sources[this.side];
  }

  get playing() {
    return Boolean(this.playbacks[this.side]?.playing);
  }

  /** Seconds of the file. */
  get position() {
    return this.playbacks[this.side]?.position ?? this.source?.start ?? 0;
  }

  get repeat() {
    return this.repeats[this.source?.kind ?? "song"];
  }

  /**
   * Sets what a side plays; what was playing there ends, unless it is the same sound, which then goes on with the new seconds.
   * @param {Side} side
   * @param {AudioSource | null} source
   */
  set(side, source) {
    const before = this.sources[side];
    this.sources[side] = source;
    const playback = this.playbacks[side];
    if (playback && source && before?.url === source.url) {
      playback.source = source;
      return;
    }
    playback?.close();
    this.playbacks[side] = null;
    this.onState();
  }

  /** Ends everything: another question is asked. */
  reset() {
    this.starting.abort();
    for (const side of SIDES) this.set(side, null);
    this.side = "hit";
    this.onState();
  }

  /**
   * Plays a side, from the second `at` of its file or from its start, to `until`. What is playing continues until the other has
   * loaded.
   * @param {Side} [side]
   * @param {number | (() => number) | null} [at]
   * @param {number | null} [until]
   */
  async play(side = this.side, at = null, until = null) {
    const source = this.sources[side];
    if (!source) return;
    this.starting.abort();
    const { signal } = (this.starting = new AbortController());
    const playback = (this.playbacks[side] ??= this.makePlayback(source));
    try {
      await playback.load();
      if (signal.aborted) return;
      const before = this.side;
      const start = typeof at === "function" ? at() : (at ?? playback.source.start);
      await playback.start(start, this.repeats[source.kind]);
      if (this.playbacks[side] !== playback) return void playback.close();
      if (signal.aborted) return void (this.side === side || playback.stop());
      this.side = side;
      this.until = until;
      if (before !== side) this.playbacks[before]?.stop();
    } catch (error) {
      if (this.playbacks[side] === playback) this.playbacks[side] = null; // the next attempt begins from nothing
      playback.close();
      if (!signal.aborted) throw error;
      return;
    }
    this.onState();
    this.follow();
    this.preload(side === "hit" ? "reference" : "hit");
  }

  /** @param {AudioSource} source */
  makePlayback(source) {
    return playbackOf(this.engine, source, () => this.onState());
  }

  /**
   * Loads another side, so that a switch to it is immediate.
   * @param {Side} side
   */
  preload(side) {
    const source = this.sources[side];
    if (!source || this.playbacks[side]) return;
    const playback = this.makePlayback(source);
    this.playbacks[side] = playback;
    playback.load().catch(() => {
      if (this.playbacks[side] === playback) this.playbacks[side] = null; // reported when it is to be played
    });
  }

  /**
   * Switches to a side (between A and B if none is given), to the same beat.
   * @param {Side} [side]
   */
  async switchSide(side = this.side === "hit" ? "reference" : "hit") {
    const [from, to] = [this.source, this.sources[side]];
    if (!to) throw new Error(side === "reference" ? "there is no reference to switch to; drop a song first" : "choose a hit first");
    await this.play(side, this.playing && from && side !== "both" ? () => syncedPosition(from, to, this.position) : null);
  }

  async toggle() {
    if (this.playing) return this.pause();
    const side = this.source ? this.side : SIDES.find((one) => this.sources[one]);
    if (side) await this.play(side, this.playbacks[side] && side === this.side ? this.position : null);
  }

  pause() {
    this.starting.abort();
    this.playbacks[this.side]?.stop();
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
      if (this.until !== null && this.playing && this.position >= this.until) this.pause();
      this.following = this.playing;
      this.playbacks[this.side]?.update?.();
      this.onTick();
      if (this.following) requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }
}
