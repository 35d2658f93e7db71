// The reference: a dropped, recorded or chosen sound, or words; its waveform, the seconds that matter, and its stems.

import WaveSurfer from "./vendor/wavesurfer.js";
import Regions from "./vendor/regions.js";
import * as api from "./api.js";
import { $, make, pressed } from "./dom.js";
import { colour, onScheme } from "./palette.js";
import { clock, seconds } from "./words.js";

const STEM = 30; // s of a stem that are fetched where no region is marked
const SHORTEST = 0.05; // s of a region

export class Reference {
  // onChange(): another reference or region; onSource(): what is heard of it is another; onSeek(s): its waveform was clicked.
  constructor({ parts, onChange, onSource, onSeek }) {
    Object.assign(this, { parts, onChange, onSource, onSeek, now: null, region: null, solo: "", telling: 0, pending: null });
    this.stems();
    for (const id of ["region-start", "region-end"]) $(id).addEventListener("change", () => this.typed());
    $("clear-region").addEventListener("click", () => this.mark(null));
    onScheme(() => this.wave?.setOptions({ waveColor: colour("wave"), progressColor: colour("wave") }));
  }

  // What the server is asked with: {upload | item | text}, null without a reference.
  get asked() {
    if (!this.now) return null;
    const name = ["upload", "item", "text"].find((one) => this.now[one]);
    return { [name]: this.now[name] };
  }

  // Whether it is a loop or a one-shot, which is compared whole.
  get whole() {
    return Boolean(this.now && !this.now.text && this.now.kind !== "song");
  }

  async takeFile(file, library, signal) {
    if (file.size > library.most_bytes) {
      const [size, most] = [file.size, library.most_bytes].map((bytes) => Math.ceil(bytes / 2 ** 20));
      throw new Error(`${file.name} has ${size} MB, ${most} MB are the most; drop a shorter piece of it, or index it: soundalike index FILE`);
    }
    const found = await api.upload(file, signal);
    this.take({ ...found, upload: found.id, url: api.uploaded(found.id) }, found.peaks);
  }

  async takeItem(item) {
    const found = await api.peaks(item.id);
    this.take({ ...item, item: item.id, duration: found.duration, url: api.audio(item.id) }, found.peaks);
  }

  takeText(text) {
    this.clear();
    this.now = { text, name: `“${text}”`, duration: 0 };
    $("reference-name").textContent = this.now.name;
    $("reference-facts").textContent = "words";
    $("drop").classList.add("small");
    this.onSource();
    this.onChange();
  }

  clear() {
    this.wave?.destroy();
    this.wave = this.regions = this.now = this.region = null;
    this.complete = false;
    for (const id of ["wave-box", "region-controls"]) $(id).hidden = true;
  }

  take(reference, peaks) {
    this.clear();
    this.now = reference;
    this.solo = "";
    this.telling = 0;
    $("reference-name").textContent = reference.name;
    $("drop").classList.add("small");
    $("wave-box").hidden = $("region-controls").hidden = false;
    this.regions = Regions.create();
    this.wave = WaveSurfer.create({
      container: "#wave",
      height: 84,
      peaks: [peaks.map(([low, high]) => (Math.abs(low) > Math.abs(high) ? low : high))],
      duration: reference.duration,
      waveColor: colour("wave"),
      progressColor: colour("wave"),
      cursorWidth: 0,
      normalize: true,
      plugins: [this.regions],
    });
    this.wave.on("click", (place) => this.onSeek(place * this.now.duration));
    this.regions.enableDragSelection({ color: colour("region") });
    this.regions.on("region-created", (region) => {
      for (const other of this.regions.getRegions()) if (other !== region) other.remove();
      if (region.end > region.start) this.marked(region.start, region.end);
    });
    this.regions.on("region-updated", (region) => this.marked(region.start, region.end));
    const { pending } = this;
    this.pending = null;
    if (pending && pending[1] <= reference.duration + 0.1) this.draw(pending);
    this.show();
    this.onSource();
    this.onChange();
  }

  draw([start, end]) {
    this.region = [start, Math.min(end, this.now.duration)];
    this.regions.addRegion({ start, end, color: colour("region") });
  }

  // Marks seconds [start, end]; null: the whole.
  mark(region) {
    if (!this.regions) return;
    if (region) return void this.regions.addRegion({ start: region[0], end: region[1], color: colour("region") });
    this.regions.clearRegions();
    this.region = null;
    this.changed();
  }

  marked(start, end) {
    const region = [Math.max(0, start), Math.min(end, this.now.duration)];
    if (region[1] - region[0] < SHORTEST || (this.region && region.every((value, n) => Math.abs(value - this.region[n]) < 1e-3))) return;
    this.region = region;
    this.changed();
  }

  changed() {
    this.show();
    this.onSource();
    this.onChange();
  }

  // Seconds written by hand.
  typed() {
    if (!this.now) return;
    const [start, end] = ["region-start", "region-end"].map((id) => seconds($(id).value || "-"));
    const wrong = !(end <= this.now.duration + 0.05 && end - start >= SHORTEST);
    for (const id of ["region-start", "region-end"]) $(id).setAttribute("aria-invalid", String(wrong));
    if (!wrong) this.mark([start, end]);
    else this.say(`the seconds that matter go from a start to a later end within 0:00.0–${clock(this.now.duration)}`);
  }

  say(words) {
    $("region-words").textContent = words;
  }

  show() {
    const { now, region } = this;
    $("clear-region").hidden = !region;
    const [start, end] = region ?? [0, now.duration];
    $("region-start").value = clock(start);
    $("region-end").value = clock(Math.floor(end * 10) / 10);
    for (const id of ["region-start", "region-end"]) $(id).removeAttribute("aria-invalid");
    this.say(region ? `these ${(end - start).toFixed(1)} s count` : this.whole ? "the whole sound counts" : "the whole song counts; drag over the seconds that matter");
    $("reference-facts").textContent = [this.whole ? now.kind : "song", clock(now.duration)].join(" · ");
    $("stems").hidden = this.whole;
  }

  stems() {
    for (const part of ["", ...this.parts.filter((one) => one !== "mix")]) {
      const radio = make("input", { type: "radio", name: "stem", value: part, checked: part === "" });
      radio.addEventListener("change", () => this.listenTo(part));
      const label = make("label", {}, radio, part || "all");
      label.dataset.part = part;
      $("stems").append(label);
    }
  }

  // Solos a stem of the reference, "" for all of it.
  listenTo(part) {
    this.solo = part;
    document.querySelector(`#stems input[value="${CSS.escape(part)}"]`).checked = true;
    this.onSource(true);
  }

  // What the player plays of it.
  get source() {
    const { now, region, solo } = this;
    if (!now?.url) return null;
    const name = now.name.split("/").pop();
    const shared = { loudness: now.loudness, tempo: now.tempo ?? null };
    if (solo && !this.whole) {
      const start = region ? region[0] : Math.min(this.telling, Math.max(0, now.duration - STEM));
      const end = region ? region[1] : Math.min(now.duration, start + STEM);
      return { ...shared, url: api.stem(this.asked, solo, start, end), name: `${solo} of ${name}`, start, end, offset: start, short: true, kind: "song" };
    }
    const [start, end] = region ?? [this.whole ? 0 : this.telling, now.duration];
    return { ...shared, url: now.url, name, start, end, offset: 0, short: this.whole, kind: this.whole ? now.kind : "song" };
  }

  // Where the reference begins to play while no region is marked: at its most telling window.
  tell(second) {
    if (this.region || this.whole || this.telling === second) return;
    this.telling = second;
    this.onSource();
  }

  // The second that sounds; null: none.
  playhead(second) {
    const head = $("head");
    head.hidden = second === null || !this.now?.duration;
    if (!head.hidden) head.style.left = `${(100 * second) / this.now.duration}%`;
  }

  // Says on the button whether the reference sounds.
  playing(on) {
    pressed($("play-reference"), on);
    $("play-reference").textContent = on ? "❚❚ pause" : "▶ hear it";
  }
}
