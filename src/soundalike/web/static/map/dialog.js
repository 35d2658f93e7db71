// The map: a picture of the library in which what sounds alike lies together. Look, zoom, hover, click to hear.

import * as api from "../api.js";
import { $, make } from "../dom.js";
import { colour, onScheme } from "../palette.js";
import { SIGNS, coloured, kinds, shape } from "./colours.js";
import { WHOLE, around, nearest, panned, toMap, toScreen, towards, zoomed } from "./view.js";

const NEIGHBOURS = 12;
const RINGED = 20; // hits
const REACH = 14; // px within which a point is meant by the pointer
const AGAIN = 700; // ms until a map in the making is asked for again
const TALL = 0.87; // of an equilateral triangle, by its side
const WAYS = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

// The sign of a kind in a legend or list.
function dot(sign, ink) {
  const made = make("i", { class: `dot ${sign}`, "aria-hidden": "true" });
  made.style.background = ink;
  return made;
}

// Adds a point to the pen's path.
function outlined(pen, sign, left, top, radius) {
  if (sign === "square") return void pen.rect(left - radius, top - radius, 2 * radius, 2 * radius);
  if (sign === "circle") {
    pen.moveTo(left + radius, top);
    return void pen.arc(left, top, radius, 0, 2 * Math.PI);
  }
  const half = 1.2 * radius;
  pen.moveTo(left, top - half);
  pen.lineTo(left + half, top - half + 2 * TALL * half);
  pen.lineTo(left - half, top - half + 2 * TALL * half);
  return void pen.closePath();
}

export class MapDialog {
  // onPlay(id), onReference(id); hits(): ids of the hits shown now, best first.
  constructor({ parts, onPlay, onReference, hits }) {
    Object.assign(this, { onPlay, onReference, hits, points: null, view: WHOLE, at: -1, hover: -1, hidden: new Set(), asked: 0 });
    this.canvas = $("map-canvas");
    $("map-part").append(...[...parts].reverse().map((part) => new Option(part === "mix" ? "the whole sound" : part, part)));
    $("map-part").addEventListener("change", () => this.load());
    $("map-kind").addEventListener("change", () => this.load());
    $("map-colour").addEventListener("change", () => {
      this.chosen = true;
      this.colour();
    });
    $("map-in").addEventListener("click", () => this.zoom(1.6));
    $("map-out").addEventListener("click", () => this.zoom(1 / 1.6));
    $("map-all").addEventListener("click", () => this.look(WHOLE));
    $("map-reference").addEventListener("click", () => this.refer());
    $("map").addEventListener("close", () => this.asked++);
    this.listen();
    new ResizeObserver(() => this.draw()).observe(this.canvas);
    onScheme(() => this.draw());
  }

  open() {
    $("map").showModal();
    this.canvas.focus();
    if (!this.points) this.load();
    else this.draw();
  }

  // Another library: the picture is of the one before.
  forget() {
    this.points = null;
  }

  say(words, problem = false) {
    $("map-words").textContent = words;
    $("map-words").classList.toggle("problem", problem);
  }

  async load() {
    const turn = ++this.asked;
    $("map-part").disabled = $("map-kind").value !== "song"; // the others are whole
    if ($("map-part").disabled) $("map-part").value = "mix";
    $("map-reference").disabled = true;
    $("map-legend").replaceChildren();
    this.points = null;
    this.at = this.hover = -1;
    this.draw();
    this.near();
    try {
      for (;;) {
        const found = await api.picture($("map-part").value, $("map-kind").value);
        if (turn !== this.asked) return;
        if (found.state === "none") return void this.say("there is nothing to draw: the library has no such files");
        if (found.state === "ready") return void this.take(found);
        this.say(`drawing the map … ${Math.round(100 * found.progress)} %`);
        await new Promise((done) => setTimeout(done, AGAIN));
        if (turn !== this.asked) return;
      }
    } catch (error) {
      this.say(error.message, true);
    }
  }

  take(found) {
    this.points = found;
    this.place = new Map(found.ids.map((id, n) => [id, n]));
    const times = new Map();
    for (const name of found.names) times.set(name, (times.get(name) ?? 0) + 1);
    // Names that several have (mixture.wav, say) need their folder.
    this.named = (n) => (times.get(found.names[n]) > 1 ? `${found.folder[n].split("/").pop()}/${found.names[n]}` : found.names[n]);
    this.view = WHOLE;
    const first = this.hits().find((id) => this.place.has(id));
    const several = kinds(found);
    if (!this.chosen) $("map-colour").value = several.length > 1 ? "kind" : "tempo";
    this.colour();
    this.go(first === undefined ? nearest(found, 0.5, 0.5) : this.place.get(first));
    const some = found.total > found.ids.length ? ` of ${found.total.toLocaleString("en")}` : "";
    const signs = several.length > 1 ? ` (${several.map((one) => `${SIGNS[one.shape]} ${one.name}`).join(", ")})` : "";
    this.say(`${found.ids.length.toLocaleString("en")}${some} sounds${signs}; what sounds alike lies together; the first hits are ringed`);
  }

  colour() {
    if (!this.points) return;
    this.hidden.clear();
    this.paint = coloured(this.points, $("map-colour").value);
    $("map-legend").replaceChildren(
      ...this.paint.legend.map(({ name, colour: ink, shape: sign = "circle" }, n) => {
        const swatch = dot(sign, ink);
        const button = make("button", { type: "button", "aria-pressed": "true", title: `show or hide ${name}` }, swatch, name);
        button.addEventListener("click", () => {
          if (!this.hidden.delete(n)) this.hidden.add(n);
          button.setAttribute("aria-pressed", String(!this.hidden.has(n)));
          this.draw();
          this.near();
        });
        return make("li", {}, button);
      }),
    );
    this.draw();
    this.near();
  }

  shown = (n) => !this.hidden.has(this.paint.of[n]);

  get size() {
    return { width: this.canvas.clientWidth, height: this.canvas.clientHeight };
  }

  look(view) {
    this.view = view;
    this.draw();
  }

  zoom(factor) {
    const [left, top] = this.at < 0 ? [] : toScreen(this.view, this.size, this.points.x[this.at], this.points.y[this.at]);
    this.look(zoomed(this.view, this.size, factor, left, top));
  }

  // The cursor goes to a point; play: and it is heard.
  go(n, play = false) {
    if (n < 0 || !this.points) return;
    this.at = n;
    const [left, top] = toScreen(this.view, this.size, this.points.x[n], this.points.y[n]);
    const { width, height } = this.size;
    if (left < 0 || top < 0 || left > width || top > height) this.view = { ...this.view, x: this.points.x[n], y: this.points.y[n] };
    this.draw();
    this.near();
    if (play) this.onPlay(this.points.ids[n]);
  }

  refer() {
    if (this.at < 0) return;
    $("map").close();
    this.onReference(this.points.ids[this.at]);
  }

  // The list of what lies around the cursor: the map for those who cannot see or point.
  near() {
    const box = $("map-near");
    if (!this.points || this.at < 0) return void box.replaceChildren();
    const { names, folder, kind } = this.points;
    box.replaceChildren(
      ...around(this.points, this.at, NEIGHBOURS, this.shown).map((n) => {
        const swatch = dot(shape(this.points, n), this.paint.legend[this.paint.of[n]].colour);
        const button = make("button", { type: "button", title: `${kind[n]}: ${folder[n]}/${names[n]}` }, swatch, this.named(n));
        if (n === this.at) button.setAttribute("aria-current", "true");
        button.addEventListener("click", () => {
          const back = document.activeElement === button;
          this.go(n, true);
          if (back) box.querySelector("button")?.focus();
        });
        return make("li", {}, button);
      }),
    );
    $("map-reference").disabled = false;
    $("map-at").textContent = this.named(this.at);
  }

  listen() {
    const { canvas } = this;
    const place = (event) => [event.offsetX, event.offsetY];
    const under = (event) => {
      if (!this.points) return -1;
      const [x, y] = toMap(this.view, this.size, ...place(event));
      const [far] = toMap(this.view, this.size, event.offsetX + REACH, event.offsetY);
      return nearest(this.points, x, y, far - x, this.shown);
    };
    let from = null;
    let moved = false;
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      from = place(event);
      moved = false;
    });
    canvas.addEventListener("pointermove", (event) => {
      const now = place(event);
      if (from && (moved || Math.hypot(now[0] - from[0], now[1] - from[1]) > 4)) {
        moved = true;
        this.look(panned(this.view, this.size, now[0] - from[0], now[1] - from[1]));
        from = now;
        return;
      }
      const hover = under(event);
      if (hover === this.hover) return;
      this.hover = hover;
      canvas.style.cursor = hover < 0 ? "grab" : "pointer";
      this.draw();
    });
    canvas.addEventListener("pointerup", (event) => {
      from = null;
      if (!moved) this.go(under(event), true);
    });
    canvas.addEventListener("pointerleave", () => {
      this.hover = -1;
      this.draw();
    });
    canvas.addEventListener("dblclick", (event) => under(event) >= 0 && this.refer());
    canvas.addEventListener(
      "wheel",
      (event) => {
        event.preventDefault();
        this.look(zoomed(this.view, this.size, Math.exp(-event.deltaY / 300), ...place(event)));
      },
      { passive: false },
    );
    canvas.addEventListener("keydown", (event) => {
      if (!this.points || event.ctrlKey || event.metaKey || event.altKey) return;
      const { key } = event;
      if (WAYS[key]) this.go(towards(this.points, this.at, WAYS[key], this.shown), true);
      else if (key === "Enter" || key === " ") this.go(this.at, true);
      else if (key === "+" || key === "=") this.zoom(1.6);
      else if (key === "-") this.zoom(1 / 1.6);
      else if (key === "0") this.look(WHOLE);
      else if (key === "r") this.refer();
      else return;
      event.preventDefault();
    });
  }

  draw() {
    if (this.waiting) return;
    this.waiting = requestAnimationFrame(() => {
      this.waiting = 0;
      this.render();
    });
  }

  render() {
    const { canvas, points, view, size } = this;
    const ratio = window.devicePixelRatio || 1;
    if (!size.width) return;
    Object.assign(canvas, { width: Math.round(size.width * ratio), height: Math.round(size.height * ratio) });
    const pen = canvas.getContext("2d");
    pen.scale(ratio, ratio);
    if (!points) return;
    const { length } = points.ids;
    const radius = Math.min(7, (length > 3000 ? 1.6 : length > 300 ? 3 : 4.5) * Math.sqrt(view.zoom));
    // One path a colour: thousands of points are drawn within a frame.
    this.paint.legend.forEach(({ colour: ink }, place) => {
      if (this.hidden.has(place)) return;
      pen.beginPath();
      for (let n = 0; n < points.x.length; n++) {
        if (this.paint.of[n] !== place) continue;
        const [left, top] = toScreen(view, size, points.x[n], points.y[n]);
        if (left < -9 || top < -9 || left > size.width + 9 || top > size.height + 9) continue;
        outlined(pen, radius < 2.5 ? "square" : shape(points, n), left, top, radius);
      }
      pen.globalAlpha = 0.8;
      pen.fillStyle = ink;
      pen.fill();
    });
    pen.globalAlpha = 1;
    const ring = (n, ink, more, width) => {
      const [left, top] = toScreen(view, size, points.x[n], points.y[n]);
      pen.beginPath();
      pen.arc(left, top, radius + more, 0, 2 * Math.PI);
      pen.strokeStyle = ink;
      pen.lineWidth = width;
      pen.stroke();
    };
    for (const id of this.hits().slice(0, RINGED)) {
      const n = this.place.get(id);
      if (n !== undefined && this.shown(n)) ring(n, colour("accent"), 2, 1.5);
    }
    if (this.at >= 0) ring(this.at, colour("text"), 4, 2);
    const named = this.hover >= 0 ? this.hover : document.activeElement === canvas ? this.at : -1;
    if (named >= 0) this.label(pen, named, radius);
  }

  label(pen, n, radius) {
    const { points, view, size } = this;
    const [left, top] = toScreen(view, size, points.x[n], points.y[n]);
    const tempo = points.tempo[n] ? ` · ${Math.round(points.tempo[n])} bpm` : "";
    const words = `${this.named(n)} · ${points.kind[n]}${tempo}`;
    pen.font = "12px system-ui, sans-serif";
    const width = pen.measureText(words).width + 12;
    const x = Math.max(2, Math.min(size.width - width - 2, left + radius + 6));
    const y = Math.max(2, top - 26);
    pen.fillStyle = colour("panel");
    pen.strokeStyle = colour("line");
    pen.lineWidth = 1;
    pen.beginPath();
    pen.roundRect(x, y, width, 20, 4);
    pen.fill();
    pen.stroke();
    pen.fillStyle = colour("text");
    pen.fillText(words, x + 6, y + 14);
  }
}
