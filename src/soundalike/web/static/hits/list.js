// The list of hits: only what is in sight is in the page, so that thousands scroll as smoothly as ten.

import * as api from "../api.js";
import { onScheme } from "../palette.js";
import { fillRow, makeRow } from "./row.js";
import { draw, Waves } from "./waves.js";

const HEIGHT = 52;
const MORE = 4; // rows beyond each edge

// Suffixes that the server sends as they are; others come as WAV, and are called so.
const AS_THEY_ARE = /\.(wav|flac|mp3|ogg|oga|opus|m4a|mp4|aac)$/i;

export function fileName(item) {
  const name = item.name.split("/").pop();
  return AS_THEY_ARE.test(name) ? name : `${name.replace(/\.[^.]*$/, "")}.wav`;
}

const sums = (hits) => {
  const scale = { more: 0, less: 0 };
  for (const { contributions } of hits) {
    let [more, less] = [0, 0];
    for (const name in contributions) {
      const value = contributions[name];
      if (value > 0) more += value;
      else less -= value;
    }
    scale.more = Math.max(scale.more, more);
    scale.less = Math.max(scale.less, less);
  }
  return scale;
};

export class List {
  // onChoose(hit, play): a hit was chosen, to be played or not; onStar(hit); marks(hit): {judged, held}.
  constructor(box, canvas, { onChoose, onStar = () => {}, marks = () => ({}) }) {
    Object.assign(this, { box, canvas, onChoose, onStar, marks, hits: [], chosen: -1, shown: new Map(), spare: [], head: null });
    this.waves = new Waves((ids) => this.paint(new Set(ids)));
    // What the layout says is asked for when it may have changed, not in the midst of changing rows.
    Object.assign(this, { top: 0, height: 0, size: null });
    box.addEventListener(
      "scroll",
      () => {
        this.top = box.scrollTop;
        this.draw();
      },
      { passive: true },
    );
    new ResizeObserver(() => {
      this.height = box.clientHeight;
      this.size = null;
      this.draw();
      this.paint();
    }).observe(box);
    onScheme(() => this.paint());
    canvas.addEventListener("click", (event) => {
      const row = event.target.closest(".hit");
      if (!row) return;
      if (event.target.closest(".star")) this.onStar(row.hit);
      else this.choose(Number(row.dataset.index), true);
    });
    canvas.addEventListener("dragstart", (event) => {
      const item = event.target.closest(".hit")?.hit.item;
      if (!item) return;
      // Chromium's way to drop a file on the desktop or into a DAW; elsewhere the path is dropped as text.
      const url = new URL(api.audio(item.id), document.baseURI);
      event.dataTransfer.effectAllowed = "copy";
      event.dataTransfer.setData("DownloadURL", `application/octet-stream:${fileName(item).replaceAll(":", "-")}:${url}`);
      event.dataTransfer.setData("text/plain", item.path);
    });
  }

  get hit() {
    return this.hits[this.chosen] ?? null;
  }

  // Rows in sight, less one: what a leaf through the list goes on by.
  get page() {
    return Math.max(1, Math.floor(this.height / HEIGHT) - 1);
  }

  // New hits; the chosen one stays chosen where it is among them. keep: the place scrolled to stays too.
  show(hits, { keep = true } = {}) {
    const id = this.hit?.item.id;
    this.hits = hits;
    this.scale = sums(hits);
    this.chosen = id === undefined ? -1 : hits.findIndex((hit) => hit.item.id === id);
    this.canvas.style.height = `${hits.length * HEIGHT}px`;
    this.top = Math.min(keep ? this.top : 0, Math.max(0, hits.length * HEIGHT - this.height));
    if (!keep) this.box.scrollTop = 0;
    this.refresh();
  }

  // Fills every row in sight anew.
  refresh() {
    for (const [index, row] of this.shown) if (index < this.hits.length) this.fill(row, index);
    this.draw();
    this.point();
  }

  // Nothing is chosen from now on.
  leave() {
    this.chosen = -1;
    this.refresh();
  }

  choose(index, play) {
    if (index < 0 || index >= this.hits.length) return;
    const before = this.chosen;
    this.chosen = index;
    this.head = null;
    const top = index * HEIGHT;
    if (top < this.top) this.top = this.box.scrollTop = top;
    else if (top + HEIGHT > this.top + this.height) this.top = this.box.scrollTop = top + HEIGHT - this.height;
    this.draw();
    for (const [shown, row] of this.shown) row.setAttribute("aria-selected", String(shown === index));
    if (this.shown.has(before)) this.picture(this.shown.get(before));
    this.point();
    this.onChoose(this.hits[index], play);
  }

  // Tells screen readers which row is chosen, if it is in the page.
  point() {
    if (this.shown.has(this.chosen)) this.box.setAttribute("aria-activedescendant", `hit-${this.chosen}`);
    else this.box.removeAttribute("aria-activedescendant");
  }

  // The second of the chosen hit that sounds now; null: none.
  playhead(seconds) {
    this.head = seconds;
    const row = this.shown.get(this.chosen);
    if (row) this.picture(row);
  }

  draw() {
    const first = Math.max(0, Math.floor(this.top / HEIGHT) - MORE);
    const last = Math.min(this.hits.length, Math.ceil((this.top + this.height) / HEIGHT) + MORE);
    let left = false;
    for (const [index, row] of this.shown) {
      if (index < first || index >= last) {
        row.remove();
        this.spare.push(row);
        this.shown.delete(index);
        left = true;
      }
    }
    for (let index = first; index < last; index++) {
      if (this.shown.has(index)) continue;
      const row = this.spare.pop() ?? makeRow();
      row.style.top = `${index * HEIGHT}px`;
      this.shown.set(index, row);
      this.canvas.append(row);
      this.fill(row, index);
    }
    if (left) this.waves.only([...this.shown.values()].map((row) => row.hit.item.id));
    this.point();
  }

  fill(row, index) {
    const hit = this.hits[index];
    fillRow(row, hit, index, this.scale, this.marks(hit));
    row.setAttribute("aria-selected", String(index === this.chosen));
    row.setAttribute("aria-setsize", this.hits.length);
    row.setAttribute("aria-posinset", index + 1);
    this.picture(row);
  }

  picture(row, force = false) {
    const { item, score } = row.hit;
    const [start, end] = score === null ? [0, 0] : [row.hit.start, row.hit.end]; // nothing is matched where nothing was asked
    const peaks = this.waves.of(item.id);
    const head = Number(row.dataset.index) === this.chosen ? this.head : null;
    const now = `${item.id} ${start} ${end} ${peaks ? 1 : 0} ${head}`;
    if (row.drawn === now && !force) return;
    row.drawn = now;
    const { wave } = row.parts;
    if (!this.size?.width) this.size = { width: wave.clientWidth, height: wave.clientHeight };
    draw(wave, peaks, start, end, head, this.size);
  }

  // Draws the waveforms in sight anew: all, or those of these items.
  paint(ids = null) {
    for (const row of this.shown.values()) if (!ids || ids.has(row.hit.item.id)) this.picture(row, true);
  }
}
