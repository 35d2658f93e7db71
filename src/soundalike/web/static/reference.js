// The reference: an uploaded, recorded or chosen sound, or a text; its waveform, the selected region, and its stems.

import WaveSurfer from "./vendor/wavesurfer.js";
import Regions from "./vendor/regions.js";
import * as api from "./api.js";
import { $, find, inputById, make, setPressed } from "./dom.js";
import { clock, fileName, parseSeconds } from "./format.js";
import { colour, onSchemeChange } from "./palette.js";

const STEM_SECONDS = 30; // of a stem that are requested where no region is selected
const SHORTEST_REGION = 0.05; // s

export class Reference {
  /** @type {ReferenceSound | null} */
  sound = null;
  /** @type {Region | null} */
  region = null;
  /** The stem that is soloed; "": none. */
  solo = "";
  /** The second at which it starts to play where no region is selected: the start of its most representative window. */
  start = 0;
  /** Whether the server has analysed all windows of it. */
  analysed = false;
  /**
   * A region for the next sound, from a link.
   * @type {Region | null}
   */
  pendingRegion = null;
  /** @type {WaveSurfer | null} */
  wave = null;
  /** @type {Regions | null} */
  regions = null;

  /**
   * onChange: the sound, text or region has changed; onSource(play): what the player plays of it has changed, to be played at
   * once or not; onSeek(s): its waveform was clicked.
   * @param {object} options
   * @param {string[]} options.parts
   * @param {() => void} options.onChange
   * @param {(play: boolean) => void} options.onSource
   * @param {(second: number) => void} options.onSeek
   */
  constructor({ parts, onChange, onSource, onSeek }) {
    this.onChange = onChange;
    this.onSource = onSource;
    this.onSeek = onSeek;
    this.makeStems(parts);
    this.fields = [inputById("region-start"), inputById("region-end")];
    for (const field of this.fields) field.addEventListener("change", () => this.readFields());
    $("clear-region").addEventListener("click", () => this.clearRegion());
    onSchemeChange(() => this.wave?.setOptions({ waveColor: colour("wave"), progressColor: colour("wave") }));
  }

  /**
   * How the reference is named in requests.
   * @returns {ReferenceId}
   */
  get id() {
    const { upload, item, text } = this.sound ?? {};
    if (upload) return { upload };
    return item ? { item } : { text };
  }

  /** Whether it is a loop or a one-shot, which is compared as a whole. */
  get isClip() {
    return Boolean(this.sound && !this.sound.text && this.sound.kind !== "song");
  }

  /**
   * @param {File} file
   * @param {Library} library
   * @param {AbortSignal} signal
   */
  async takeFile(file, library, signal) {
    if (file.size > library.most_bytes) {
      const [size, limit] = [file.size, library.most_bytes].map((bytes) => Math.ceil(bytes / 2 ** 20));
      throw new Error(
        `${file.name} has ${size} MB, but uploads may have ${limit} MB; drop an excerpt, or add it to the library: soundalike index FILE`,
      );
    }
    const { id, name, duration, kind, loudness, tempo, peaks } = await api.upload(file, signal);
    this.take({ upload: id, name, duration, kind, loudness, tempo, url: api.uploadAudio(id) }, peaks);
  }

  /** @param {Item} item */
  async takeItem(item) {
    const { id, name, kind, loudness, tempo } = item;
    const { duration, peaks } = await api.peaks(id);
    this.take({ item: id, name, duration, kind, loudness, tempo, url: api.itemAudio(id) }, peaks);
  }

  /** @param {string} text */
  takeText(text) {
    this.clear();
    this.sound = { text, name: `“${text}”`, duration: 0 };
    $("reference-name").textContent = this.sound.name;
    $("reference-facts").textContent = "text";
    $("drop").classList.add("small");
    this.onSource(false);
    this.onChange();
  }

  clear() {
    this.wave?.destroy();
    this.wave = this.regions = this.sound = this.region = null;
    this.analysed = false;
    for (const id of ["wave-box", "region-controls"]) $(id).hidden = true;
  }

  /**
   * @param {ReferenceSound} sound
   * @param {[number, number][]} peaks
   */
  take(sound, peaks) {
    this.clear();
    this.sound = sound;
    this.solo = "";
    this.start = 0;
    $("reference-name").textContent = sound.name;
    $("drop").classList.add("small");
    $("wave-box").hidden = $("region-controls").hidden = false;
    this.drawWaveform(sound, peaks);
    const region = this.pendingRegion;
    this.pendingRegion = null;
    if (region && region[1] <= sound.duration + 0.1) {
      this.region = [region[0], Math.min(region[1], sound.duration)];
      this.regions?.addRegion({ start: region[0], end: region[1], color: colour("region") });
    }
    this.changed();
  }

  /**
   * @param {ReferenceSound} sound
   * @param {[number, number][]} peaks
   */
  drawWaveform(sound, peaks) {
    const regions = Regions.create();
    this.regions = regions;
    this.wave = WaveSurfer.create({
      container: "#wave",
      height: 84,
      peaks: [peaks.map(([low, high]) => (Math.abs(low) > Math.abs(high) ? low : high))],
      duration: sound.duration,
      waveColor: colour("wave"),
      progressColor: colour("wave"),
      cursorWidth: 0,
      normalize: true,
      plugins: [regions],
    });
    this.wave.on("click", (position) => this.onSeek(position * sound.duration));
    regions.enableDragSelection({ color: colour("region") });
    regions.on("region-created", (region) => {
      for (const other of regions.getRegions()) if (other !== region) other.remove();
      if (region.end > region.start) this.regionChanged(region.start, region.end);
    });
    regions.on("region-updated", (region) => this.regionChanged(region.start, region.end));
  }

  clearRegion() {
    if (!this.regions) return;
    this.regions.clearRegions();
    this.region = null;
    this.changed();
  }

  /**
   * @param {number} start
   * @param {number} end
   */
  regionChanged(start, end) {
    if (!this.sound) return;
    /** @type {Region} */
    const region = [Math.max(0, start), Math.min(end, this.sound.duration)];
    const before = this.region;
    if (region[1] - region[0] < SHORTEST_REGION) return;
    if (before && region.every((value, n) => Math.abs(value - before[n]) < 1e-3)) return;
    this.region = region;
    this.changed();
  }

  changed() {
    this.show();
    this.onSource(false);
    this.onChange();
  }

  /** Selects the region that is written in the two fields. */
  readFields() {
    if (!this.sound) return;
    const [start, end] = this.fields.map((field) => parseSeconds(field.value));
    const valid = end <= this.sound.duration + 0.05 && end - start >= SHORTEST_REGION;
    for (const field of this.fields) field.setAttribute("aria-invalid", String(!valid));
    if (valid) this.regions?.addRegion({ start, end, color: colour("region") });
    else $("region-note").textContent = `a region has a start and a later end between 0:00.0 and ${clock(this.sound.duration)}`;
  }

  show() {
    const { sound, region } = this;
    if (!sound) return;
    const [start, end] = region ?? [0, sound.duration];
    $("clear-region").hidden = !region;
    this.fields[0].value = clock(start);
    this.fields[1].value = clock(Math.floor(end * 10) / 10);
    for (const field of this.fields) field.removeAttribute("aria-invalid");
    const whole = this.isClip ? `the whole ${sound.kind} is compared` : "the whole song is compared; drag over the waveform to select a region";
    $("region-note").textContent = region ? `these ${(end - start).toFixed(1)} s are compared` : whole;
    $("reference-facts").textContent = [this.isClip ? sound.kind : "song", clock(sound.duration)].join(" · ");
    $("stems").hidden = this.isClip;
  }

  /** @param {string[]} parts */
  makeStems(parts) {
    for (const part of ["", ...parts.filter((one) => one !== "mix")]) {
      const radio = make("input", { type: "radio", name: "stem", value: part, checked: part === "" });
      radio.addEventListener("change", () => this.soloStem(part));
      const label = make("label", {}, radio, part || "all");
      label.dataset.part = part;
      $("stems").append(label);
    }
  }

  /**
   * Plays a stem of the reference alone; "": all of it.
   * @param {string} part
   */
  soloStem(part) {
    this.solo = part;
    find(`#stems input[value="${CSS.escape(part)}"]`, document, HTMLInputElement).checked = true;
    this.onSource(true);
  }

  /**
   * What the player plays of it; null for a text.
   * @returns {AudioSource | null}
   */
  get source() {
    const { sound, region, solo } = this;
    if (!sound?.url) return null;
    const name = fileName(sound);
    const { loudness, tempo = null } = sound;
    if (solo && !this.isClip) {
      const start = region ? region[0] : Math.min(this.start, Math.max(0, sound.duration - STEM_SECONDS));
      const end = region ? region[1] : Math.min(sound.duration, start + STEM_SECONDS);
      const url = api.stemAudio(this.id, solo, start, end);
      return { url, name: `${solo} of ${name}`, start, end, offset: start, loudness, tempo, short: true, kind: "song" };
    }
    const [start, end] = region ?? [this.isClip ? 0 : this.start, sound.duration];
    const kind = this.isClip ? (sound.kind ?? "song") : "song";
    return { url: sound.url, name, start, end, offset: 0, loudness, tempo, short: this.isClip, kind };
  }

  /**
   * Sets where it starts to play while no region is selected.
   * @param {number} second
   */
  setStart(second) {
    if (this.region || this.isClip || this.start === second) return;
    this.start = second;
    this.onSource(false);
  }

  /**
   * Shows the position of the player; null: it is not playing.
   * @param {number | null} second
   */
  showPlayhead(second) {
    const duration = this.sound?.duration;
    $("playhead").hidden = second === null || !duration;
    if (second !== null && duration) $("playhead").style.left = `${(100 * second) / duration}%`;
  }

  /**
   * Shows on the button whether it is playing.
   * @param {boolean} playing
   */
  showPlaying(playing) {
    setPressed($("play-reference"), playing);
    $("play-reference").textContent = playing ? "❚❚ pause" : "▶ play";
  }
}
