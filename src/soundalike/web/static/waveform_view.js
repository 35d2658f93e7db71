// The waveform of the reference: zoom, scroll, onsets as ticks, and the selected region, whose edges snap to onsets.

import WaveSurfer from "./vendor/wavesurfer.js";
import Minimap from "./vendor/minimap.js";
import Regions from "./vendor/regions.js";
import Zoom from "./vendor/zoom.js";
import { $, canvasById, context2d } from "./dom.js";
import { clock, clockMs } from "./format.js";
import { colour, onSchemeChange } from "./palette.js";
import { Ruler } from "./ruler.js";

export const SHORTEST_REGION = 0.05; // s
const HEIGHT = 76; // px
const MAX_ZOOM = 2000; // px per second
const SNAP = { px: 8, seconds: 0.15 }; // an edge closer than both to an onset moves to it
const TICK = 7; // px

/**
 * The value furthest from zero of each interval, -1..1.
 * @param {[number, number][]} peaks
 */
const signedPeaks = (peaks) => peaks.map(([low, high]) => (-low > high ? low : high));

export class WaveformView {
  /** @type {WaveSurfer | null} */
  wave = null;
  /** @type {Regions | null} */
  regions = null;
  /** @type {Ruler | null} */
  ruler = null;
  duration = 0;
  /** @type {Region | null} */
  region = null;
  /** @type {number[]} */
  onsets = [];
  /**
   * Onsets of the chosen group.
   * @type {number[]}
   */
  chosen = [];
  /**
   * Seconds that are marked lightly: those of the reference that matched, or of the stem that is heard.
   * @type {Region | null}
   */
  marked = null;
  /** Where the keyboard is, s. */
  cursor = 0;
  /** @type {number | null} */
  playhead = null;
  snapping = true;
  frame = 0;

  /**
   * onSeek(s, play): a position was chosen, to be played from at once or only if it is playing; onRegion: a region was selected
   * by hand.
   * @param {object} options
   * @param {(second: number, play: boolean) => void} options.onSeek
   * @param {(region: Region) => void} options.onRegion
   */
  constructor({ onSeek, onRegion }) {
    this.onSeek = onSeek;
    this.onRegion = onRegion;
    this.box = $("wave-box");
    this.ticks = canvasById("ticks");
    onSchemeChange(() => {
      this.wave?.setOptions({ waveColor: colour("wave"), progressColor: colour("wave") });
      this.drawSoon();
    });
    new ResizeObserver(() => this.drawSoon()).observe(this.box);
    this.box.addEventListener("keydown", (event) => this.onKey(event));
    this.box.addEventListener("focus", () => this.drawSoon());
    this.box.addEventListener("blur", () => this.drawSoon());
    $("zoom-in").addEventListener("click", () => this.zoom(2));
    $("zoom-out").addEventListener("click", () => this.zoom(0.5));
    $("zoom-all").addEventListener("click", () => this.zoomTo(0));
  }

  clear() {
    this.wave?.destroy();
    this.wave = this.regions = this.ruler = this.region = this.marked = this.playhead = null;
    this.onsets = this.chosen = [];
    $("minimap").replaceChildren();
  }

  /**
   * @param {number} duration s
   * @param {[number, number][]} peaks
   * @param {Region | null} region
   */
  show(duration, peaks, region) {
    this.clear();
    this.duration = duration;
    this.cursor = region ? region[0] : 0;
    this.region = region;
    const regions = Regions.create();
    this.regions = regions;
    this.wave = WaveSurfer.create({
      container: "#wave",
      height: HEIGHT,
      peaks: [signedPeaks(peaks)],
      duration,
      waveColor: colour("wave"),
      progressColor: colour("wave"),
      cursorWidth: 0,
      normalize: true,
      hideScrollbar: false,
      plugins: [
        regions,
        Zoom.create({ exponentialZooming: true, maxZoom: MAX_ZOOM, iterations: 24 }),
        Minimap.create({ container: "#minimap", height: 18, overlayColor: colour("region"), waveColor: colour("wave"), progressColor: colour("wave"), cursorWidth: 0 }),
      ],
    });
    this.ruler = new Ruler(this.wave.getWrapper());
    this.wave.on("click", (position) => {
      this.cursor = position * duration;
      this.onSeek(this.cursor, true);
    });
    for (const event of /** @type {const} */ (["zoom", "scroll", "redraw", "redrawcomplete"])) this.wave.on(event, () => this.drawSoon());
    regions.enableDragSelection({ color: colour("region") });
    regions.on("region-created", (one) => {
      for (const other of regions.getRegions()) if (other !== one) other.remove();
      this.take(one);
    });
    regions.on("region-updated", (one) => this.take(one));
    if (region) this.setRegion(region);
    this.drawSoon();
    this.showCursor();
  }

  /**
   * A finer picture of the same sound.
   * @param {Overview} overview
   */
  async refine({ low, high, duration }) {
    const { wave, pixelsPerSecond, scroll } = this;
    if (!wave) return;
    const finer = signedPeaks(low.map((value, n) => [value / 127, high[n] / 127]));
    await wave.load("", [finer], duration);
    if (wave !== this.wave) return;
    if (this.zoomed) {
      wave.zoom(pixelsPerSecond);
      wave.setScroll(scroll);
    }
    if (this.region && !this.regions?.getRegions().length) this.setRegion(this.region);
  }

  /**
   * A region that was drawn or moved by hand.
   * @param {import("./vendor/regions.js").WaveRegion} drawn
   */
  take(drawn) {
    if (this.setting) return;
    const [start, end] = [this.snapped(Math.max(0, drawn.start)), this.snapped(Math.min(drawn.end, this.duration))];
    /** @type {Region} */
    const region = end - start >= SHORTEST_REGION ? [start, end] : [drawn.start, drawn.end];
    if (region[1] - region[0] < SHORTEST_REGION) return void drawn.remove();
    if (this.region && region.every((value, n) => Math.abs(value - /** @type {Region} */ (this.region)[n]) < 1e-4)) return;
    this.cursor = region[0];
    this.setRegion(region);
    this.onRegion(region);
  }

  /**
   * Shows a region; null: none.
   * @param {Region | null} region
   */
  setRegion(region) {
    this.region = region;
    this.setting = true; // what the plugin reports now was not drawn by hand
    this.regions?.clearRegions();
    if (region) this.regions?.addRegion({ start: region[0], end: region[1], color: colour("region") });
    this.setting = false;
    this.drawSoon();
  }

  setting = false;

  /** @param {number} second */
  snapped(second) {
    if (!this.snapping || !this.onsets.length) return second;
    const nearest = this.onsets.reduce((best, one) => (Math.abs(one - second) < Math.abs(best - second) ? one : best));
    return Math.abs(nearest - second) <= Math.min(SNAP.seconds, SNAP.px / this.pixelsPerSecond) ? nearest : second;
  }

  /**
   * @param {number[]} onsets all of them, s
   * @param {number[]} chosen those of the chosen group
   */
  setOnsets(onsets, chosen) {
    this.onsets = [...onsets].sort((a, b) => a - b);
    this.chosen = chosen;
    this.drawSoon();
  }

  /** @param {Region | null} marked */
  mark(marked) {
    this.marked = marked;
    this.drawSoon();
  }

  get pixelsPerSecond() {
    const width = this.wave?.getWrapper().clientWidth ?? 0;
    return (width || this.box.clientWidth || 1) / (this.duration || 1);
  }

  get scroll() {
    return this.wave?.getScroll() ?? 0;
  }

  get zoomed() {
    return (this.wave?.getWrapper().clientWidth ?? 0) > this.box.clientWidth + 2;
  }

  /** @param {number} factor */
  zoom(factor) {
    this.zoomTo(Math.min(MAX_ZOOM, this.pixelsPerSecond * factor));
  }

  /** @param {number} pixelsPerSecond */
  zoomTo(pixelsPerSecond) {
    if (!this.wave) return;
    const middle = this.playhead ?? this.region?.[0] ?? this.cursor;
    this.wave.zoom(pixelsPerSecond);
    this.wave.setScroll(Math.max(0, middle * this.pixelsPerSecond - this.box.clientWidth / 2));
    this.drawSoon();
  }

  /**
   * Shows where the player is; null: it is not playing.
   * @param {number | null} second
   */
  showPlayhead(second) {
    if (second === null && this.playhead === null) return;
    this.playhead = second;
    if (second !== null) {
      this.cursor = second;
      const x = second * this.pixelsPerSecond - this.scroll;
      if (this.zoomed && (x < 0 || x > this.box.clientWidth)) this.wave?.setScroll(second * this.pixelsPerSecond - 20);
    }
    this.drawSoon();
  }

  showCursor() {
    this.box.setAttribute("aria-valuemax", this.duration.toFixed(3));
    this.box.setAttribute("aria-valuenow", this.cursor.toFixed(3));
    this.box.setAttribute("aria-valuetext", `${clock(this.cursor)} of ${clock(this.duration)}`);
  }

  /** @param {number} second */
  moveTo(second) {
    this.cursor = Math.max(0, Math.min(this.duration, second));
    const x = this.cursor * this.pixelsPerSecond - this.scroll;
    if (x < 0 || x > this.box.clientWidth) this.wave?.setScroll(this.cursor * this.pixelsPerSecond - this.box.clientWidth / 2);
    this.showCursor();
    this.drawSoon();
    this.onSeek(this.cursor, false);
  }

  /** @param {number} direction */
  nextOnset(direction) {
    const ahead = this.onsets.filter((one) => (direction > 0 ? one > this.cursor + 1e-3 : one < this.cursor - 1e-3));
    const next = direction > 0 ? ahead[0] : ahead.at(-1);
    if (next !== undefined) this.moveTo(next);
  }

  /**
   * Moves an edge of the region to the cursor.
   * @param {0 | 1} edge
   */
  moveEdge(edge) {
    /** @type {Region} */
    const region = [...(this.region ?? /** @type {Region} */ ([0, this.duration]))];
    region[edge] = this.cursor;
    if (region[1] - region[0] < SHORTEST_REGION) return;
    this.setRegion(region);
    this.onRegion(region);
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    if (!this.wave || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = event.shiftKey ? 0.01 : Math.max(0.01, this.box.clientWidth / this.pixelsPerSecond / 100);
    /** @type {Record<string, () => void>} */
    const actions = {
      ArrowLeft: () => this.moveTo(this.cursor - step),
      ArrowRight: () => this.moveTo(this.cursor + step),
      Home: () => this.moveTo(0),
      End: () => this.moveTo(this.duration),
      ",": () => this.nextOnset(-1),
      ".": () => this.nextOnset(1),
      "[": () => this.moveEdge(0),
      "]": () => this.moveEdge(1),
      "+": () => this.zoom(2),
      "=": () => this.zoom(2),
      "-": () => this.zoom(0.5),
      0: () => this.zoomTo(0),
      Enter: () => this.onSeek(this.cursor, true),
    };
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  }

  drawSoon() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.draw();
    });
  }

  /** Draws ticks, marks, playhead and cursor over the waveform. */
  draw() {
    const { ticks, scroll, pixelsPerSecond: scale } = this;
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [ticks.clientWidth, ticks.clientHeight];
    if (!width) return;
    Object.assign(ticks, { width: Math.round(width * ratio), height: Math.round(height * ratio) });
    const pen = context2d(ticks);
    pen.scale(ratio, ratio);
    if (!this.wave) return;
    this.ruler?.draw({ width, scale, scroll, duration: this.duration });
    /** @param {number} second */
    const x = (second) => second * scale - scroll;
    if (this.marked) {
      pen.fillStyle = colour("region");
      pen.fillRect(x(this.marked[0]), height - 4, Math.max(2, (this.marked[1] - this.marked[0]) * scale), 4);
      pen.fillStyle = colour("accent");
      pen.fillRect(x(this.marked[0]), 0, Math.max(2, (this.marked[1] - this.marked[0]) * scale), 3);
    }
    pen.fillStyle = colour("quiet");
    for (const one of this.onsets) pen.fillRect(x(one), height - TICK, 1, TICK);
    pen.fillStyle = colour("accent");
    for (const one of this.chosen) pen.fillRect(x(one) - 0.5, height - 2 * TICK, 2, 2 * TICK);
    pen.globalAlpha = 0.3; // many lines would hide the waveform
    for (const one of this.chosen) pen.fillRect(x(one), 0, 1, height);
    pen.globalAlpha = 1;
    const focused = document.activeElement === this.box;
    const line = this.playhead ?? (focused ? this.cursor : null);
    if (line === null) return;
    pen.fillStyle = colour("text");
    pen.fillRect(x(line), 0, 1.5, height);
    if (focused && this.playhead === null) {
      pen.font = "11px system-ui, sans-serif";
      pen.fillText(clockMs(line), Math.min(x(line) + 4, width - 60), 12);
    }
  }
}
