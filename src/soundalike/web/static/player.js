// Plays a hit at its matched seconds, or the reference, at equal loudness.

const TARGET = -20; // LUFS; a volume can only be turned down, so loud enough for most, quiet enough for all

export const volumeFor = (loudness) =>
  loudness === null || loudness === undefined ? 0.7 : Math.min(1, 10 ** ((TARGET - loudness) / 20));

export class Player {
  constructor(audio, onState) {
    Object.assign(this, { audio, onState, looping: false, sources: { hit: null, reference: null }, side: "hit" });
    audio.addEventListener("timeupdate", () => this.watch());
    for (const name of ["play", "pause", "ended"]) audio.addEventListener(name, () => onState());
    audio.addEventListener("ended", () => this.looping && this.start());
  }

  // A source: {url, start, end, loudness, name, whole}.
  set(side, source) {
    this.sources[side] = source;
    if (this.side === side) this.loaded = null;
  }

  async play(side = this.side) {
    if (!this.sources[side]) return;
    this.side = side;
    await this.start();
  }

  async start() {
    const source = this.sources[this.side];
    if (this.loaded !== source.url) {
      this.audio.src = source.url;
      this.loaded = source.url;
    }
    this.audio.volume = volumeFor(source.loudness);
    this.audio.loop = this.looping && source.whole; // whole sounds loop without a gap, as the element does it
    this.audio.currentTime = source.start;
    try {
      await this.audio.play();
    } catch (error) {
      if (error.name !== "AbortError") throw new Error(`${source.name} cannot be played here: ${error.message}`);
    }
  }

  watch() {
    const source = this.sources[this.side];
    if (this.looping && source && !source.whole && this.audio.currentTime >= source.end) this.audio.currentTime = source.start;
  }

  toggle() {
    if (this.audio.paused) return this.loaded ? this.audio.play() : this.play();
    this.audio.pause();
    return undefined;
  }

  loop() {
    this.looping = !this.looping;
    this.audio.loop = this.looping && Boolean(this.sources[this.side]?.whole);
    this.onState();
  }
}
