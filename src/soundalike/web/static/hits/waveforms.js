// Small waveforms of hits, requested for the visible rows only, many at once, and cached.

import * as api from "../api.js";
import { context2d, debounce } from "../dom.js";
import { colour } from "../palette.js";

const BATCH = 100;
const MAX_CACHED = 4000;
const MAX_TRIES = 5; // for items whose overview the server has yet to compute
const RETRY_AFTER = 1500; // ms

/**
 * Draws a waveform with the matched seconds marked.
 * @param {HTMLCanvasElement} canvas
 * @param {Overview | null} overview
 * @param {Region} match
 * @param {number | null} [playhead] s
 * @param {Size} [size] px; the page would be laid out again if it had to be read while rows change
 */
export function drawWaveform(canvas, overview, [start, end], playhead = null, size = { width: canvas.clientWidth, height: canvas.clientHeight }) {
  const ratio = window.devicePixelRatio || 1;
  const [width, height] = [Math.round(size.width * ratio), Math.round(size.height * ratio)];
  if (!width || !height) return;
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const pen = context2d(canvas);
  pen.clearRect(0, 0, width, height);
  if (!overview) return;
  const { low, high, duration } = overview;
  /** @param {number} seconds */
  const x = (seconds) => (width * seconds) / duration;
  const whole = start <= 0.01 && end >= duration - 0.01;
  if (!whole && end > start) {
    pen.fillStyle = colour("match");
    pen.fillRect(x(start), 0, Math.max(2, x(end) - x(start)), height);
  }
  const peak = Math.max(8, ...high, ...low.map((value) => -value));
  const scale = (height / 2 - 1) / peak;
  const step = width / low.length;
  const barWidth = Math.max(1, step - (step > 3 ? 1 : 0));
  for (const inside of [false, true]) {
    pen.beginPath();
    low.forEach((value, n) => {
      const middle = ((n + 0.5) / low.length) * duration;
      if ((whole || (middle >= start && middle < end)) !== inside) return;
      pen.rect(n * step, height / 2 - high[n] * scale, barWidth, Math.max(1, (high[n] - value) * scale));
    });
    pen.fillStyle = colour(inside ? "wave-in" : "wave");
    pen.fill();
  }
  if (playhead !== null) {
    pen.fillStyle = colour("text");
    pen.fillRect(Math.min(width - ratio, x(playhead)), 0, Math.max(1, 1.5 * ratio), height);
  }
}

export class Waveforms {
  /** @type {Map<string, Overview>} */
  cached = new Map();
  /** @type {Set<string>} */
  wanted = new Set();
  /** @type {Map<string, number>} */
  tries = new Map();

  /**
   * onArrival(ids): overviews have arrived, or can be requested again.
   * @param {(ids: string[]) => void} onArrival
   */
  constructor(onArrival) {
    this.onArrival = onArrival;
    this.requestSoon = debounce(() => this.request(), 60);
  }

  /**
   * The overview of an item; null if there is none yet: then it is requested.
   * @param {string} id
   */
  get(id) {
    const overview = this.cached.get(id);
    if (overview) return overview;
    if ((this.tries.get(id) ?? 0) < MAX_TRIES) {
      this.wanted.add(id);
      this.requestSoon();
    }
    return null;
  }

  /**
   * Cancels what was not requested yet, except for these items: the others have left the screen.
   * @param {string[]} ids
   */
  keepOnly(ids) {
    const visible = new Set(ids);
    for (const id of this.wanted) if (!visible.has(id)) this.wanted.delete(id);
  }

  async request() {
    const ids = [...this.wanted].slice(0, BATCH);
    if (!ids.length) return;
    this.wanted.clear();
    let overviews;
    try {
      overviews = await api.overviews(ids);
    } catch {
      return; // the list works without pictures; problems with the server are shown elsewhere
    }
    const [arrived, missing] = [/** @type {string[]} */ ([]), /** @type {string[]} */ ([])];
    for (const id of ids) {
      const overview = overviews[id];
      if (overview) {
        this.cached.set(id, overview);
        arrived.push(id);
      } else {
        this.tries.set(id, (this.tries.get(id) ?? 0) + 1);
        missing.push(id);
      }
    }
    for (const id of this.cached.keys()) if (this.cached.size > MAX_CACHED) this.cached.delete(id);
    if (missing.length) setTimeout(() => this.onArrival(missing), RETRY_AFTER); // drawing them requests them again
    this.onArrival(arrived);
  }
}
