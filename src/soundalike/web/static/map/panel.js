// The map beside the list: the library as a picture on which similar sounds are close together, to zoom, hover, click and encircle.

import * as api from "../api.js";
import { $, buttonById, canvasById, context2d, make, selectById, setPressed } from "../dom.js";
import { KIND_PLURALS } from "../format.js";
import { colour, onSchemeChange } from "../palette.js";
import { messageOf } from "../status.js";
import { showView } from "../views.js";
import { SYMBOLS, coloured, presentKinds, shapeOf } from "./colours.js";
import { drawLabel, drawLasso, drawPoints, drawRing } from "./drawing.js";
import { WHOLE, nearest, neighbours, nextInDirection, panned, pinched, toMap, toScreen, within, zoomed } from "./view.js";

/** @typedef {import("./colours.js").Colouring} Colouring */
/**
 * A map with what is derived from it.
 * @typedef {{ points: LibraryMap, index: Map<string, number>, nameOf: (n: number) => string, colouring: Colouring }} DrawnMap
 */

const NEIGHBOURS = 12;
const RINGED_HITS = 20;
const REACH = 14; // px between the pointer and the point that it means
const HOVER_AFTER = 120; // ms that the pointer rests on a point until it is heard
const POLL = 300; // ms until a map that is being computed is requested again
/** @type {Record<string, [number, number]>} */
const DIRECTIONS = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/**
 * The shape of a kind, for a legend or list.
 * @param {string} shape
 * @param {string} ink
 */
function makeDot(shape, ink) {
  const dot = make("i", { class: `dot ${shape}`, "aria-hidden": "true" });
  dot.style.background = ink;
  return dot;
}

/**
 * Names of points; a file name that occurs several times (mixture.wav, for example) with its folder.
 * @param {LibraryMap} points
 */
function namesOf({ names, folder }) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  /** @param {number} n */
  return (n) => ((counts.get(names[n]) ?? 0) > 1 ? `${folder[n].split("/").at(-1)}/${names[n]}` : names[n]);
}

export class MapPanel {
  /** @type {DrawnMap | null} */
  map = null;
  /** @type {MapView} */
  view = WHOLE;
  /** The point under the cursor of the keyboard; -1: none. */
  current = -1;
  /** The point under the pointer; -1: none. */
  hovered = -1;
  /**
   * Entries of the legend that are hidden.
   * @type {Set<number>}
   */
  hidden = new Set();
  /** The map that is being requested: a later one ends it. */
  loading = new AbortController();
  /** Whether a point is heard as soon as the pointer rests on it. */
  hearing = true;
  /**
   * What is being encircled, px.
   * @type {[number, number][]}
   */
  lasso = [];
  colourChosen = false;
  frame = 0;

  /**
   * onPlay(id), onReference(id), onSelect(ids): points were encircled, onPause; hits(): ids of the present hits, best first; kind():
   * what is searched for.
   * @param {object} options
   * @param {string[]} options.parts
   * @param {() => Kind} options.kind
   * @param {() => void} options.onPause
   * @param {(ids: string[]) => void} options.onSelect
   * @param {(id: string) => void} options.onPlay
   * @param {(id: string) => void} options.onReference
   * @param {() => string[]} options.hits
   */
  constructor({ parts, kind, onPlay, onReference, onPause, onSelect, hits }) {
    this.kind = kind;
    this.onPause = onPause;
    this.onSelect = onSelect;
    this.onPlay = onPlay;
    this.onReference = onReference;
    this.hits = hits;
    this.canvas = canvasById("map-canvas");
    this.partMenu = selectById("map-part");
    this.kindMenu = selectById("map-kind");
    this.colourMenu = selectById("map-colour");
    this.partMenu.append(...[...parts].reverse().map((part) => new Option(part, part)));
    this.listenToControls();
    this.listenToPointer();
    this.listenToKeys();
    new ResizeObserver(() => this.draw()).observe(this.canvas);
    onSchemeChange(() => this.draw());
  }

  get shown() {
    return !$("map").hidden;
  }

  /** Shows the map beside the list, or hides it. Where one view is shown at a time, it shows the map if another one is in sight. */
  toggle() {
    const shown = !this.shown || !this.canvas.checkVisibility();
    $("map").hidden = !shown;
    setPressed($("map-open"), shown);
    document.body.classList.toggle("with-map", shown);
    if (!shown) {
      this.loading.abort();
      showView("results");
      $("list").focus();
      return;
    }
    showView("map");
    this.canvas.focus();
    // The kind that is searched for, so that its hits are on it.
    if (!this.map || (this.kindMenu.value !== "all" && this.kindMenu.value !== this.kind())) this.load();
    else this.draw();
  }

  /** Forgets the map: the library has changed. */
  forget() {
    this.map = null;
  }

  /**
   * @param {string} message
   * @param {{ problem?: boolean }} [options]
   */
  showStatus(message, { problem = false } = {}) {
    $("map-status").textContent = message;
    $("map-status").classList.toggle("problem", problem);
  }

  /** Requests the chosen map until the server has computed it. */
  async load() {
    this.loading.abort();
    const { signal } = (this.loading = new AbortController());
    this.partMenu.disabled = this.kindMenu.value !== "song"; // the other kinds have only a mix
    if (this.partMenu.disabled) this.partMenu.value = "mix";
    buttonById("map-reference").disabled = true;
    $("map-legend").replaceChildren();
    this.map = null;
    this.current = this.hovered = -1;
    this.draw();
    this.listNeighbours();
    try {
      for (;;) {
        const points = await api.libraryMap(this.partMenu.value, /** @type {MapKind} */ (this.kindMenu.value), signal);
        if (signal.aborted) return;
        if (points.state === "none") return void this.showStatus("there is nothing to show: the library has no such files");
        if (points.state === "ready") return void this.show(points);
        this.showStatus(`computing the map … ${Math.round(100 * points.progress)} %`);
        await new Promise((resolve) => setTimeout(resolve, POLL));
        if (signal.aborted) return;
      }
    } catch (error) {
      if (!api.isAbort(error)) this.showStatus(messageOf(error), { problem: true });
    }
  }

  /** @param {LibraryMap} points */
  show(points) {
    const kinds = presentKinds(points.kind);
    if (!this.colourChosen) this.colourMenu.value = kinds.length > 1 ? "kind" : "tempo";
    const index = new Map(points.ids.map((id, n) => [id, n]));
    this.map = { points, index, nameOf: namesOf(points), colouring: coloured(points, this.colourMenu.value) };
    this.view = WHOLE;
    this.showLegend();
    const best = this.hits().map((id) => index.get(id)).find((n) => n !== undefined);
    this.moveTo(best ?? nearest(points, 0.5, 0.5));
    const count = points.ids.length.toLocaleString("en");
    const total = points.total > points.ids.length ? ` of ${points.total.toLocaleString("en")}` : "";
    const legend = kinds.map((kind) => `${SYMBOLS[shapeOf(kind)]} ${KIND_PLURALS[kind]}`).join(", ");
    this.showStatus(
      `${count}${total} sounds${kinds.length > 1 ? ` (${legend})` : ""}; similar sounds are close together${best === undefined ? "" : "; rings mark the first hits"}; ${matchMedia("(hover: none)").matches ? "two fingers zoom" : "drag with shift to list those in a lasso"}`,
    );
  }

  recolour() {
    this.colourChosen = true;
    if (!this.map) return;
    this.map.colouring = coloured(this.map.points, this.colourMenu.value);
    this.showLegend();
    this.draw();
    this.listNeighbours();
  }

  showLegend() {
    this.hidden.clear();
    const entries = this.map?.colouring.legend ?? [];
    $("map-legend").replaceChildren(
      ...entries.map(({ name, colour: ink, shape = "circle" }, n) => {
        const properties = { type: "button", "aria-pressed": "true", title: `show or hide ${name}` };
        const button = make("button", properties, makeDot(shape, ink), name);
        button.addEventListener("click", () => {
          if (!this.hidden.delete(n)) this.hidden.add(n);
          button.setAttribute("aria-pressed", String(!this.hidden.has(n)));
          this.draw();
          this.listNeighbours();
        });
        return make("li", {}, button);
      }),
    );
  }

  /**
   * Whether a point is on the map now.
   * @param {number} n
   */
  isShown = (n) => this.map !== null && !this.hidden.has(this.map.colouring.of[n]);

  get size() {
    return { width: this.canvas.clientWidth, height: this.canvas.clientHeight };
  }

  /** @param {MapView} view */
  setView(view) {
    this.view = view;
    this.draw();
  }

  /**
   * The position on the screen of a point.
   * @param {DrawnMap} map
   * @param {number} n
   */
  place = ({ points }, n) => toScreen(this.view, this.size, points.x[n], points.y[n]);

  /** @param {number} factor */
  zoom(factor) {
    const [left, top] = this.map && this.current >= 0 ? this.place(this.map, this.current) : [];
    this.setView(zoomed(this.view, this.size, factor, left, top));
  }

  /**
   * Moves the cursor to a point, and plays it or not.
   * @param {number} n
   * @param {{ play?: boolean, hovering?: boolean }} [options]
   */
  moveTo(n, { play = false, hovering = false } = {}) {
    if (n < 0 || !this.map) return;
    const { points } = this.map;
    this.current = n;
    const [left, top] = this.place(this.map, n);
    const { width, height } = this.size;
    if (!hovering && (left < 0 || top < 0 || left > width || top > height)) this.view = { ...this.view, x: points.x[n], y: points.y[n] };
    this.draw();
    this.listNeighbours();
    if (play) this.onPlay(points.ids[n]);
  }

  useAsReference() {
    if (this.current < 0 || !this.map) return;
    this.onReference(this.map.points.ids[this.current]);
  }

  /** Lists the points around the cursor: the map for people who cannot see or point. */
  listNeighbours() {
    const list = $("map-neighbours");
    const { map, current } = this;
    if (!map || current < 0) return void list.replaceChildren();
    const { names, folder, kind } = map.points;
    list.replaceChildren(
      ...neighbours(map.points, current, NEIGHBOURS, this.isShown).map((n) => {
        const dot = makeDot(shapeOf(kind[n]), map.colouring.legend[map.colouring.of[n]].colour);
        const button = make("button", { type: "button", title: `${kind[n]}: ${folder[n]}/${names[n]}` }, dot, map.nameOf(n));
        if (n === current) button.setAttribute("aria-current", "true");
        button.addEventListener("click", () => {
          const hadFocus = document.activeElement === button;
          this.moveTo(n, { play: true });
          if (hadFocus) list.querySelector("button")?.focus();
        });
        return make("li", {}, button);
      }),
    );
    buttonById("map-reference").disabled = false;
    $("map-current").textContent = map.nameOf(current);
  }

  listenToControls() {
    this.partMenu.addEventListener("change", () => this.load());
    this.kindMenu.addEventListener("change", () => this.load());
    this.colourMenu.addEventListener("change", () => this.recolour());
    $("map-zoom-in").addEventListener("click", () => this.zoom(1.6));
    $("map-zoom-out").addEventListener("click", () => this.zoom(1 / 1.6));
    $("map-whole").addEventListener("click", () => this.setView(WHOLE));
    $("map-reference").addEventListener("click", () => this.useAsReference());
    $("map-close").addEventListener("click", () => this.toggle());
    $("map-hear").addEventListener("click", () => {
      this.hearing = !this.hearing;
      setPressed($("map-hear"), this.hearing);
    });
    $("map-pause").addEventListener("click", () => this.onPause());
  }

  /**
   * The point that the pointer is on; -1: none.
   * @param {MouseEvent} event
   */
  pointUnder({ offsetX, offsetY }) {
    if (!this.map) return -1;
    const [x, y] = toMap(this.view, this.size, offsetX, offsetY);
    const [edge] = toMap(this.view, this.size, offsetX + REACH, offsetY);
    return nearest(this.map.points, x, y, edge - x, this.isShown);
  }

  listenToPointer() {
    const { canvas } = this;
    /** @type {{ x: number, y: number } | null} */
    let from = null;
    let dragged = false;
    /**
     * Fingers and buttons that are down, by pointer.
     * @type {Map<number, [number, number]>}
     */
    const down = new Map();
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      down.set(event.pointerId, [event.offsetX, event.offsetY]);
      from = { x: event.offsetX, y: event.offsetY };
      dragged = down.size > 1;
      this.lasso = event.shiftKey && down.size === 1 ? [[event.offsetX, event.offsetY]] : [];
    });
    canvas.addEventListener("pointermove", (event) => {
      const { offsetX: x, offsetY: y } = event;
      const before = [...down.values()];
      if (down.has(event.pointerId)) down.set(event.pointerId, [x, y]);
      if (before.length > 1) this.setView(pinched(this.view, this.size, before, [...down.values()]));
      else if (from && this.lasso.length) {
        this.lasso.push([x, y]);
        this.draw();
      } else if (from && (dragged || Math.hypot(x - from.x, y - from.y) > 4)) {
        dragged = true;
        this.setView(panned(this.view, this.size, x - from.x, y - from.y));
        from = { x, y };
      } else this.hover(this.pointUnder(event));
    });
    /** @param {PointerEvent} event */
    const lift = ({ pointerId }) => {
      down.delete(pointerId);
      const [left] = down.values();
      from = left ? { x: left[0], y: left[1] } : null; // the other finger goes on dragging
    };
    canvas.addEventListener("pointercancel", (event) => {
      lift(event);
      this.lasso = [];
      this.draw();
    });
    canvas.addEventListener("pointerup", (event) => {
      lift(event);
      if (from) return;
      if (this.lasso.length > 2) this.encircle();
      else if (!dragged) this.moveTo(this.pointUnder(event), { play: true });
    });
    canvas.addEventListener("pointerleave", () => this.hover(-1));
    canvas.addEventListener("dblclick", (event) => {
      if (this.pointUnder(event) >= 0) this.useAsReference();
    });
    canvas.addEventListener(
      "wheel",
      (event) => {
        event.preventDefault();
        this.setView(zoomed(this.view, this.size, Math.exp(-event.deltaY / 300), event.offsetX, event.offsetY));
      },
      { passive: false },
    );
  }

  hoverTimer = 0;

  /** Lists the points that were encircled. */
  encircle() {
    const { map, lasso } = this;
    this.lasso = [];
    this.draw();
    if (!map) return;
    const inside = map.points.ids.filter((_, n) => this.isShown(n) && within(lasso, this.place(map, n)));
    if (inside.length) this.onSelect(inside);
  }

  /** @param {number} n */
  hover(n) {
    if (n === this.hovered) return;
    this.hovered = n;
    clearTimeout(this.hoverTimer);
    if (n >= 0 && this.hearing) {
      this.hoverTimer = window.setTimeout(() => this.hovered === n && this.moveTo(n, { play: true, hovering: true }), HOVER_AFTER);
    }
    this.canvas.style.cursor = n < 0 ? "grab" : "pointer";
    this.draw();
  }

  listenToKeys() {
    this.canvas.addEventListener("keydown", (event) => {
      if (!this.map || event.ctrlKey || event.metaKey || event.altKey) return;
      const { key } = event;
      if (DIRECTIONS[key]) {
        this.moveTo(nextInDirection(this.map.points, this.current, DIRECTIONS[key], this.isShown), { play: true });
      } else if (key === "Enter") this.moveTo(this.current, { play: true });
      else if (key === " ") this.onPause();
      else if (key === "+" || key === "=") this.zoom(1.6);
      else if (key === "-") this.zoom(1 / 1.6);
      else if (key === "0") this.setView(WHOLE);
      else if (key === "r") this.useAsReference();
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
  }

  /** Draws with the next frame. */
  draw() {
    if (this.frame || !this.shown) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.render();
    });
  }

  render() {
    const { canvas, map, view, size } = this;
    const ratio = window.devicePixelRatio || 1;
    if (!size.width) return;
    Object.assign(canvas, { width: Math.round(size.width * ratio), height: Math.round(size.height * ratio) });
    const pen = context2d(canvas);
    pen.scale(ratio, ratio);
    if (!map) return;
    const { points, index, colouring } = map;
    const radius = drawPoints(pen, points, colouring, { view, size, hidden: this.hidden });
    for (const id of this.hits().slice(0, RINGED_HITS)) {
      const n = index.get(id);
      if (n !== undefined && this.isShown(n)) drawRing(pen, this.place(map, n), radius + 2, colour("accent"), 1.5);
    }
    if (this.lasso.length > 1) drawLasso(pen, this.lasso);
    if (this.current >= 0) drawRing(pen, this.place(map, this.current), radius + 4, colour("text"), 2);
    const labelled = this.hovered >= 0 ? this.hovered : document.activeElement === canvas ? this.current : -1;
    if (labelled < 0) return;
    const tempo = points.tempo[labelled];
    const text = [map.nameOf(labelled), points.kind[labelled], tempo && `${Math.round(tempo)} bpm`].filter(Boolean).join(" · ");
    drawLabel(pen, this.place(map, labelled), radius, text, size);
  }
}
