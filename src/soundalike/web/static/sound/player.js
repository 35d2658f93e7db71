// Plays a hit or the reference, one at a time, equally loud; switching between them keeps the beat.

import { syncedPosition } from "./beat_sync.js";
import { AudioEngine, playbackOf } from "./playback.js";

export class Player {
  engine = new AudioEngine();
  /** @type {Side} */
  side = "hit";
  /** @type {Record<Side, AudioSource | null>} */
  sources = { hit: null, reference: null };
  /** @type {Record<Side, Playback | null>} */
  playbacks = { hit: null, reference: null };
  /**
   * Whether a kind of sound repeats.
   * @type {Record<Kind, boolean>}
   */
  repeats = { song: false, loop: true, "one-shot": false };
  /** Counts calls of play and pause: a later one cancels those that are still loading. */
  turn = 0;
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
   * Sets what a side plays; what was playing there ends, unless it is the same.
   * @param {Side} side
   * @param {AudioSource | null} source
   */
  set(side, source) {
    const before = this.sources[side];
    const same = source && before && source.url === before.url && source.start === before.start && source.end === before.end;
    this.sources[side] = source;
    if (same) return;
    this.playbacks[side]?.close();
    this.playbacks[side] = null;
    this.onState();
  }

  /**
   * Plays a side, from the second `at` of its file or from its start. What is playing continues until the other has loaded.
   * @param {Side} [side]
   * @param {number | (() => number) | null} [at]
   */
  async play(side = this.side, at = null) {
    const source = this.sources[side];
    if (!source) return;
    const turn = ++this.turn;
    const playback = (this.playbacks[side] ??= this.makePlayback(source));
    await playback.load();
    if (turn !== this.turn) return;
    const before = this.side;
    const start = typeof at === "function" ? at() : (at ?? source.start);
    await playback.start(start, this.repeats[source.kind]);
    if (this.playbacks[side] !== playback) return void playback.close();
    if (turn !== this.turn && this.side !== side) return void playback.stop();
    this.side = side;
    if (before !== side) this.playbacks[before]?.stop();
    this.onState();
    this.follow();
    this.preload(side === "hit" ? "reference" : "hit");
  }

  /** @param {AudioSource} source */
  makePlayback(source) {
    return playbackOf(this.engine, source, () => this.onState());
  }

  /**
   * Loads the other side, so that a switch to it is immediate.
   * @param {Side} side
   */
  preload(side) {
    const source = this.sources[side];
    if (!source || this.playbacks[side]) return;
    const playback = this.makePlayback(source);
    this.playbacks[side] = playback;
    playback.load().catch(() => {}); // reported when it is to be played
  }

  /** Switches between reference and hit, to the same beat. */
  async switchSide() {
    const side = this.side === "hit" ? "reference" : "hit";
    const [from, to] = [this.source, this.sources[side]];
    if (!to) throw new Error(side === "hit" ? "choose a hit first" : "there is no reference to switch to; drop a song first");
    await this.play(side, this.playing && from ? () => syncedPosition(from, to, this.position) : null);
  }

  async toggle() {
    if (this.playing) this.pause();
    else await this.play(this.side, this.playbacks[this.side] ? this.position : null);
  }

  pause() {
    this.turn++;
    this.playbacks[this.side]?.stop();
    this.onState();
  }

  /** Switches repeating on or off for the kind of sound that is playing. */
  toggleLoop() {
    const kind = this.source?.kind ?? "song";
    this.repeats[kind] = !this.repeats[kind];
    for (const side of /** @type {Side[]} */ (["hit", "reference"])) {
      if (this.sources[side]?.kind === kind) this.playbacks[side]?.loop(this.repeats[kind]);
    }
    this.onState();
  }

  /**
   * Loads a short sound that is likely to be played next.
   * @param {AudioSource} source
   */
  prefetch(source) {
    if (source.short && this.engine.graph) this.engine.decoded(source.url).catch(() => {});
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
      this.following = this.playing;
      this.playbacks[this.side]?.update?.();
      this.onTick();
      if (this.following) requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }
}
