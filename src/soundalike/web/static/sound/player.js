// What is heard: a hit or the reference, one at a time, equally loud, and a switch between them that keeps the beat.

import { carried } from "./place.js";
import { Engine, voiceOf } from "./voices.js";

export class Player {
  // onState: something began or ended; onTick: every frame while something sounds.
  constructor(onState, onTick) {
    Object.assign(this, { onState, onTick, side: "hit", turn: 0, engine: new Engine() });
    this.sources = { hit: null, reference: null };
    this.voices = { hit: null, reference: null };
    this.repeats = { song: false, loop: true, "one-shot": false }; // a loop loops, a one-shot is struck once
  }

  get source() {
    return this.sources[this.side];
  }

  get playing() {
    return Boolean(this.voices[this.side]?.playing);
  }

  get position() {
    return this.voices[this.side]?.position ?? this.source?.start ?? 0;
  }

  get repeat() {
    return this.repeats[this.source?.kind ?? "song"];
  }

  // Says what a side is; what sounded there ends, unless it is the same.
  set(side, source) {
    const same = source && ["url", "start", "end"].every((name) => this.sources[side]?.[name] === source[name]);
    this.sources[side] = source;
    if (same) return;
    this.voices[side]?.close();
    this.voices[side] = null;
    this.onState();
  }

  // Plays a side, from `at` (s of its file) or from its start. What sounds meanwhile goes on until the other is ready.
  async play(side = this.side, at = null) {
    const source = this.sources[side];
    if (!source) return;
    const turn = ++this.turn;
    const voice = (this.voices[side] ??= this.voice(source));
    await voice.load();
    if (turn !== this.turn) return;
    const from = this.side;
    const place = typeof at === "function" ? at() : (at ?? source.start);
    await voice.start(place, this.repeats[source.kind]);
    if (this.voices[side] !== voice) return void voice.close();
    if (turn !== this.turn && this.side !== side) return void voice.stop();
    this.side = side;
    if (from !== side) this.voices[from]?.stop();
    this.onState();
    this.follow();
    this.prepare(side === "hit" ? "reference" : "hit");
  }

  voice(source) {
    return voiceOf(this.engine, source, () => this.onState());
  }

  // Fetches what the other side begins with, so that a switch to it is heard at once.
  prepare(side) {
    const source = this.sources[side];
    if (!source || this.voices[side]) return;
    this.voices[side] = this.voice(source);
    this.voices[side].load().catch(() => {}); // said when it is to be heard
  }

  // Reference and hit in turn: where the other is by as many beats.
  async other() {
    const side = this.side === "hit" ? "reference" : "hit";
    const [from, to] = [this.sources[this.side], this.sources[side]];
    if (!to) throw new Error(side === "hit" ? "choose a hit first" : "there is no reference to switch to; drop a song first");
    await this.play(side, this.playing && from ? () => carried(from, to, this.position) : null);
  }

  async toggle() {
    if (!this.playing) return this.play(this.side, this.voices[this.side] ? this.position : null);
    return this.pause();
  }

  pause() {
    this.turn++;
    this.voices[this.side]?.stop();
    this.onState();
  }

  async seek(seconds) {
    await this.play(this.side, seconds);
  }

  loop() {
    const kind = this.source?.kind ?? "song";
    this.repeats[kind] = !this.repeats[kind];
    for (const side of ["hit", "reference"]) if (this.sources[side]?.kind === kind) this.voices[side]?.loop(this.repeats[kind]);
    this.onState();
  }

  // Fetches a short sound that is likely to be played next.
  warm(source) {
    if (source?.short && this.engine.made) this.engine.decoded(source.url).catch(() => {});
  }

  // The level that is heard now, 0..1.
  level() {
    return this.engine.level();
  }

  follow() {
    if (this.following) return;
    this.following = true;
    const frame = () => {
      this.following = this.playing;
      this.voices[this.side]?.watch?.();
      this.onTick();
      if (this.following) requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }
}
