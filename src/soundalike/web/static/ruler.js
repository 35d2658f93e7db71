// The ruler under the waveform of the reference: its steps follow the width, so that labels never touch.

import { context2d } from "./dom.js";
import { colour } from "./palette.js";

export const RULER_HEIGHT = 16; // px
const LABEL_ROOM = 70; // px from one label to the next
const TICK_HEIGHT = 4; // px, below the labels

/**
 * Seconds between labels, and between the ticks inside.
 * @type {[number, number][]}
 */
const STEPS = [
  [0.05, 0.01], [0.1, 0.02], [0.2, 0.05], [0.5, 0.1], [1, 0.2], [2, 0.5], [5, 1], [10, 2], [15, 5], [30, 10],
  [60, 15], [120, 30], [300, 60], [600, 120], [900, 300], [1800, 600], [3600, 900],
];

/**
 * The seconds between two labels and between two ticks.
 * @param {number} pixelsPerSecond
 */
export function rulerSteps(pixelsPerSecond) {
  const [label, tick] = STEPS.find(([seconds]) => seconds * pixelsPerSecond >= LABEL_ROOM) ?? STEPS[STEPS.length - 1];
  return { label, tick };
}

/**
 * A time on the ruler, with as many places as its steps need: "0:05", "44:00", "0:05.25".
 * @param {number} seconds
 * @param {number} step s between labels
 */
export function rulerLabel(seconds, step) {
  const places = step >= 1 ? 0 : step >= 0.1 ? 1 : 2;
  const rounded = Number(seconds.toFixed(places));
  const minutes = Math.floor(rounded / 60);
  return `${minutes}:${(rounded - 60 * minutes).toFixed(places).padStart(places ? places + 3 : 2, "0")}`;
}

export class Ruler {
  /** What is drawn now, so that a moving playhead does not draw it again. */
  drawn = "";

  /** @param {HTMLElement} wrapper as wide as the whole waveform; the ruler stays where it is in sight */
  constructor(wrapper) {
    this.canvas = document.createElement("canvas");
    this.canvas.setAttribute("part", "ruler");
    Object.assign(this.canvas.style, { display: "block", position: "sticky", left: "0", height: `${RULER_HEIGHT}px`, pointerEvents: "none" });
    wrapper.append(this.canvas);
  }

  /**
   * @param {object} view
   * @param {number} view.width px in sight
   * @param {number} view.scale pixels per second
   * @param {number} view.scroll px before what is in sight
   * @param {number} view.duration s
   */
  draw({ width, scale, scroll, duration }) {
    const ratio = window.devicePixelRatio || 1;
    const state = [width, scale, scroll, duration, ratio, colour("quiet")].join(" ");
    if (state === this.drawn) return;
    this.drawn = state;
    const { canvas } = this;
    canvas.style.width = `${width}px`;
    Object.assign(canvas, { width: Math.round(width * ratio), height: Math.round(RULER_HEIGHT * ratio) });
    const pen = context2d(canvas);
    pen.scale(ratio, ratio);
    pen.fillStyle = colour("quiet");
    pen.font = "10px system-ui, sans-serif";
    pen.textBaseline = "middle";
    const { label, tick } = rulerSteps(scale);
    const each = Math.round(label / tick); // ticks from one label to the next
    const last = Math.min(duration, (scroll + width) / scale);
    for (let n = each * Math.floor(scroll / scale / label); n * tick <= last; n++) {
      const x = Math.floor(n * tick * scale - scroll);
      const labelled = n % each === 0;
      const height = labelled ? RULER_HEIGHT : TICK_HEIGHT;
      pen.fillRect(x, RULER_HEIGHT - height, 1, height);
      if (!labelled) continue;
      const text = rulerLabel(n * tick, label);
      if (x + 4 + pen.measureText(text).width <= width) pen.fillText(text, x + 4, (RULER_HEIGHT - TICK_HEIGHT) / 2);
    }
  }
}
