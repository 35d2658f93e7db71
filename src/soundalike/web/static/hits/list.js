// The list of hits. Only visible rows are in the page, so that thousands of hits scroll as smoothly as ten.

import { onSchemeChange } from "../palette.js";
import { fillRow, makeRow } from "./row.js";
import { sorted } from "./sorting.js";
import { secondsOf, wholeFile } from "./taking.js";
import { drawWaveform, Waveforms } from "./waveforms.js";
import { comparisonOf, NO_SCALE, standingOf } from "./why.js";

/** @typedef {import("./row.js").Row} Row */
/** @typedef {import("./sorting.js").Column} Column */
/** @typedef {import("./taking.js").Taken} Taken */

/** The type under which a dragged row carries the id of its item. */
export const DRAGGED_ITEM = "application/x-soundalike-item";

const ROW_HEIGHT = 52;
const OVERSCAN = 4; // rows beyond each edge
const RARE = 0.05; // share of the hits up to which a fact gets no column
const COMPARED = 200; // hits whose mean the contributions of each are compared with

export class List {
  /**
   * In the order in which they are shown.
   * @type {Hit[]}
   */
  hits = [];
  /**
   * In the order of their scores.
   * @type {Hit[]}
   */
  best = [];
  /**
   * Items that are selected besides the chosen one.
   * @type {Set<string>}
   */
  selected = new Set();
  comparison = comparisonOf([]);
  /** Whether the hits are of several kinds. */
  mixed = false;
  /** What the scores mean in this library. */
  scale = NO_SCALE;
  /**
   * The column that the hits are ordered by; null: by score.
   * @type {{ column: Column, descending: boolean } | null}
   */
  order = null;
  /** Index of the chosen hit; -1: none. */
  chosen = -1;
  /** Index of the hit from which several are selected. */
  anchor = -1;
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
   * @param {() => void} [options.onSelect]
   * @param {(hit: Hit) => Taken} [options.taken] what is taken away when a row is dragged
   * @param {() => void} [options.onWaveforms] waveforms have arrived, of whatever hit
   */
  constructor(box, canvas, { onChoose, onStar = () => {}, marks = () => ({ answer: null, held: false }), onSelect = () => {}, taken = wholeFile, onWaveforms = () => {} }) {
    this.onSelect = onSelect;
    this.taken = taken;
    this.box = box;
    this.canvas = canvas;
    this.onChoose = onChoose;
    this.onStar = onStar;
    this.marks = marks;
    this.waveforms = new Waveforms((ids) => {
      this.redrawWaveforms(new Set(ids));
      onWaveforms();
    });
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
      else if (event.ctrlKey || event.metaKey) this.select(row.hit);
      else if (event.shiftKey) this.selectTo(Number(row.dataset.index));
      else this.choose(Number(row.dataset.index), true);
    });
    canvas.addEventListener("dragstart", (event) => {
      const hit = this.rowOf(event)?.hit;
      const item = hit?.item;
      const { dataTransfer } = event;
      if (!hit || !item || !dataTransfer) return;
      // Chromium drops a file on the desktop or into a DAW; other browsers drop the path as text.
      const { name, address } = this.taken(hit);
      const url = new URL(address, document.baseURI);
      dataTransfer.effectAllowed = "copy";
      dataTransfer.setData("DownloadURL", `application/octet-stream:${name.replaceAll(":", "-")}:${url}`);
      dataTransfer.setData("text/plain", item.path);
      dataTransfer.setData(DRAGGED_ITEM, item.id);
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

  /**
   * Selects a hit, or deselects it.
   * @param {Hit} hit
   */
  select({ item }) {
    if (!this.selected.delete(item.id)) this.selected.add(item.id);
    this.anchor = this.hits.findIndex((hit) => hit.item.id === item.id);
    this.refresh();
    this.onSelect();
  }

  /**
   * Selects the hits from the one that was last chosen or selected to this one.
   * @param {number} index
   */
  selectTo(index) {
    const [from, to] = [Math.max(0, this.anchor), index].sort((a, b) => a - b);
    for (const { item } of this.hits.slice(from, to + 1)) this.selected.add(item.id);
    this.refresh();
    this.onSelect();
  }

  /** The selected hits in the order of the list; the chosen one if none is. */
  get selection() {
    const selected = this.hits.filter((hit) => this.selected.has(hit.item.id));
    return selected.length ? selected : this.hit ? [this.hit] : [];
  }

  clearSelection() {
    this.selected.clear();
    this.refresh();
    this.onSelect();
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
    this.best = hits;
    this.hits = this.order ? sorted(hits, this.order) : hits;
    this.comparison = comparisonOf(hits.slice(0, COMPARED));
    this.chosen = id === undefined ? -1 : this.hits.findIndex((hit) => hit.item.id === id);
    this.showColumns();
    this.canvas.style.height = `${hits.length * ROW_HEIGHT}px`;
    this.top = Math.min(keepScroll ? this.top : 0, Math.max(0, hits.length * ROW_HEIGHT - this.height));
    if (!keepScroll) this.box.scrollTop = 0;
    this.refresh();
  }

  /** Hides columns that have nothing to show: the names of the hits take their place. */
  showColumns() {
    const { best } = this;
    const { classList } = this.box.parentElement ?? this.box;
    this.mixed = best.some(({ item }) => item.kind !== best[0].item.kind);
    const few = RARE * best.length;
    classList.toggle("no-tempo", best.filter(({ item }) => item.tempo).length <= few);
    classList.toggle("no-key", best.filter(({ item }) => item.key).length <= few);
    classList.toggle("no-score", !best.some(({ score }) => score !== null));
    classList.toggle("no-why", Object.keys(this.comparison.mean).length < 2); // a single part adds nothing to the score
  }

  /**
   * Orders the hits by a column; once more: the other way round; a third time: by score again.
   * @param {Column} column
   */
  sortBy(column) {
    const { order } = this;
    if (order?.column !== column) this.order = { column, descending: column === "score" };
    else this.order = order.descending === (column === "score") ? { column, descending: !order.descending } : null;
    this.show(this.best, { keepScroll: false });
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
    this.chosen = this.anchor = index;
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
    fillRow(row, hit, index, { comparison: this.comparison, mixed: this.mixed, standing: standingOf(this.scale, hit), marks: this.marks(hit) });
    row.classList.toggle("selected", this.selected.has(hit.item.id));
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
    const { item, score, marked } = row.hit;
    /** @type {Region} */
    const match = score === null && !marked ? [0, 0] : secondsOf(row.hit); // without a search nothing has matched
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
