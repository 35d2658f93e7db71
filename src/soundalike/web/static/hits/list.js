// The list of hits. Only visible rows are in the page, so that thousands of hits scroll as smoothly as ten.

import * as api from "../api.js";
import { fileName } from "../format.js";
import { onSchemeChange } from "../palette.js";
import { fillRow, makeRow } from "./row.js";
import { drawWaveform, Waveforms } from "./waveforms.js";

/** @typedef {import("./row.js").Row} Row */

const ROW_HEIGHT = 52;
const OVERSCAN = 4; // rows beyond each edge

// Suffixes of files that the server sends unchanged; others are sent as WAV.
const UNCHANGED = /\.(wav|flac|mp3|ogg|oga|opus|m4a|mp4|aac)$/i;

/**
 * The file name for a download.
 * @param {Item} item
 */
export function downloadName(item) {
  const name = fileName(item);
  return UNCHANGED.test(name) ? name : `${name.replace(/\.[^.]*$/, "")}.wav`;
}

/**
 * @param {Hit[]} hits
 * @returns {import("./row.js").BarScale}
 */
function scaleOf(hits) {
  const scale = { positive: 0, negative: 0 };
  for (const { contributions } of hits) {
    let [positive, negative] = [0, 0];
    for (const part in contributions) {
      const value = contributions[part];
      if (value > 0) positive += value;
      else negative -= value;
    }
    scale.positive = Math.max(scale.positive, positive);
    scale.negative = Math.max(scale.negative, negative);
  }
  return scale;
}

export class List {
  /** @type {Hit[]} */
  hits = [];
  scale = scaleOf([]);
  /** Index of the chosen hit; -1: none. */
  chosen = -1;
  /** @type {number | null} */
  playhead = null;
  /**
   * Rows in the page, by index.
   * @type {Map<number, Row>}
   */
  visible = new Map();
  /** @type {Row[]} */
  spare = [];
  // The layout is read when it may have changed, never while rows change.
  top = 0;
  height = 0;
  /** @type {Size | null} */
  waveSize = null;

  /**
   * onChoose(hit, play): a hit was chosen, to be played or not.
   * @param {HTMLElement} box
   * @param {HTMLElement} canvas
   * @param {object} options
   * @param {(hit: Hit, play: boolean) => void} options.onChoose
   * @param {(hit: Hit) => void} [options.onStar]
   * @param {(hit: Hit) => HitMarks} [options.marks]
   */
  constructor(box, canvas, { onChoose, onStar = () => {}, marks = () => ({ answer: null, held: false }) }) {
    this.box = box;
    this.canvas = canvas;
    this.onChoose = onChoose;
    this.onStar = onStar;
    this.marks = marks;
    this.waveforms = new Waveforms((ids) => this.redrawWaveforms(new Set(ids)));
    this.listen();
  }

  listen() {
    const { box, canvas } = this;
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
      this.waveSize = null;
      this.draw();
      this.redrawWaveforms();
    }).observe(box);
    onSchemeChange(() => this.redrawWaveforms());
    canvas.addEventListener("click", (event) => {
      const row = this.rowOf(event);
      if (!row) return;
      if (/** @type {Element} */ (event.target).closest(".star")) this.onStar(row.hit);
      else this.choose(Number(row.dataset.index), true);
    });
    canvas.addEventListener("dragstart", (event) => {
      const item = this.rowOf(event)?.hit.item;
      const { dataTransfer } = event;
      if (!item || !dataTransfer) return;
      // Chromium drops a file on the desktop or into a DAW; other browsers drop the path as text.
      const url = new URL(api.itemAudio(item.id), document.baseURI);
      dataTransfer.effectAllowed = "copy";
      dataTransfer.setData("DownloadURL", `application/octet-stream:${downloadName(item).replaceAll(":", "-")}:${url}`);
      dataTransfer.setData("text/plain", item.path);
    });
  }

  /**
   * @param {Event} event
   * @returns {Row | null}
   */
  rowOf(event) {
    return /** @type {Row | null} */ (/** @type {Element} */ (event.target).closest(".hit"));
  }

  /** The chosen hit. */
  get hit() {
    return this.hits[this.chosen] ?? null;
  }

  /** The number of rows that page up and page down move by. */
  get page() {
    return Math.max(1, Math.floor(this.height / ROW_HEIGHT) - 1);
  }

  /**
   * Shows other hits; the chosen one stays chosen if it is among them. keepScroll: stay at the position in the list.
   * @param {Hit[]} hits
   * @param {{ keepScroll?: boolean }} [options]
   */
  show(hits, { keepScroll = true } = {}) {
    const id = this.hit?.item.id;
    this.hits = hits;
    this.scale = scaleOf(hits);
    this.chosen = id === undefined ? -1 : hits.findIndex((hit) => hit.item.id === id);
    this.canvas.style.height = `${hits.length * ROW_HEIGHT}px`;
    this.top = Math.min(keepScroll ? this.top : 0, Math.max(0, hits.length * ROW_HEIGHT - this.height));
    if (!keepScroll) this.box.scrollTop = 0;
    this.refresh();
  }

  /** Fills all visible rows again. */
  refresh() {
    for (const [index, row] of this.visible) if (index < this.hits.length) this.fill(row, index);
    this.draw();
  }

  /** Deselects the chosen hit. */
  deselect() {
    this.chosen = -1;
    this.refresh();
  }

  /**
   * @param {number} index
   * @param {boolean} play
   */
  choose(index, play) {
    if (index < 0 || index >= this.hits.length) return;
    const before = this.visible.get(this.chosen);
    this.chosen = index;
    this.playhead = null;
    const top = index * ROW_HEIGHT;
    if (top < this.top) this.top = this.box.scrollTop = top;
    else if (top + ROW_HEIGHT > this.top + this.height) this.top = this.box.scrollTop = top + ROW_HEIGHT - this.height;
    this.draw();
    for (const [shown, row] of this.visible) row.setAttribute("aria-selected", String(shown === index));
    if (before) this.drawRowWaveform(before);
    this.onChoose(this.hits[index], play);
  }

  /**
   * Shows the position of the player in the chosen hit; null: it is not playing.
   * @param {number | null} seconds
   */
  showPlayhead(seconds) {
    this.playhead = seconds;
    const row = this.visible.get(this.chosen);
    if (row) this.drawRowWaveform(row);
  }

  /** Puts the rows in sight into the page, and takes the others out. */
  draw() {
    const first = Math.max(0, Math.floor(this.top / ROW_HEIGHT) - OVERSCAN);
    const last = Math.min(this.hits.length, Math.ceil((this.top + this.height) / ROW_HEIGHT) + OVERSCAN);
    let removed = false;
    for (const [index, row] of this.visible) {
      if (index < first || index >= last) {
        row.remove();
        this.spare.push(row);
        this.visible.delete(index);
        removed = true;
      }
    }
    for (let index = first; index < last; index++) {
      if (this.visible.has(index)) continue;
      const row = this.spare.pop() ?? makeRow();
      row.style.top = `${index * ROW_HEIGHT}px`;
      this.visible.set(index, row);
      this.canvas.append(row);
      this.fill(row, index);
    }
    if (removed) this.waveforms.keepOnly([...this.visible.values()].map((row) => row.hit.item.id));
    // Screen readers can be pointed only to a row that is in the page.
    if (this.visible.has(this.chosen)) this.box.setAttribute("aria-activedescendant", `hit-${this.chosen}`);
    else this.box.removeAttribute("aria-activedescendant");
  }

  /**
   * @param {Row} row
   * @param {number} index
   */
  fill(row, index) {
    const hit = this.hits[index];
    fillRow(row, hit, index, this.scale, this.marks(hit));
    row.setAttribute("aria-selected", String(index === this.chosen));
    row.setAttribute("aria-setsize", String(this.hits.length));
    row.setAttribute("aria-posinset", String(index + 1));
    this.drawRowWaveform(row);
  }

  /**
   * @param {Row} row
   * @param {{ force?: boolean }} [options]
   */
  drawRowWaveform(row, { force = false } = {}) {
    const { item, score } = row.hit;
    /** @type {Region} */
    const match = score === null ? [0, 0] : [row.hit.start, row.hit.end]; // without a search nothing has matched
    const overview = this.waveforms.get(item.id);
    const playhead = Number(row.dataset.index) === this.chosen ? this.playhead : null;
    const state = `${item.id} ${match.join(" ")} ${overview ? 1 : 0} ${playhead}`;
    if (row.drawn === state && !force) return;
    row.drawn = state;
    const { wave } = row.cells;
    if (!this.waveSize?.width) this.waveSize = { width: wave.clientWidth, height: wave.clientHeight };
    drawWaveform(wave, overview, match, playhead, this.waveSize);
  }

  /**
   * Draws the visible waveforms again: all, or those of these items.
   * @param {Set<string> | null} [ids]
   */
  redrawWaveforms(ids = null) {
    for (const row of this.visible.values()) {
      if (!ids || ids.has(row.hit.item.id)) this.drawRowWaveform(row, { force: true });
    }
  }
}
