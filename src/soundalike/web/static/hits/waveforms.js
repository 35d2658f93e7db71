// Small waveforms of hits, fetched for the rows in sight only, many at once, and kept.

import * as api from "../api.js";
import { rested } from "../dom.js";
import { colour } from "../palette.js";

const BATCH = 100;
const KEPT = 4000;
const TRIES = 5; // for items whose picture the server has yet to make
const PATIENCE = 1500; // ms between them

// Draws peaks {low, high, duration} on a canvas, the matched seconds marked; `head`: the second that sounds, or null; `size`:
// {width, height} in px, where it is known: to ask for it in the midst of changes would have the page laid out anew each time.
export function draw(canvas, peaks, start, end, head = null, size = { width: canvas.clientWidth, height: canvas.clientHeight }) {
  const ratio = window.devicePixelRatio || 1;
  const [width, height] = [Math.round(size.width * ratio), Math.round(size.height * ratio)];
  if (!width || !height) return;
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const pen = canvas.getContext("2d");
  pen.clearRect(0, 0, width, height);
  if (!peaks) return;
  const { low, high, duration } = peaks;
  const at = (seconds) => (width * seconds) / duration;
  const whole = start <= 0.01 && end >= duration - 0.01;
  if (!whole) {
    pen.fillStyle = colour("match");
    pen.fillRect(at(start), 0, Math.max(2, at(end) - at(start)), height);
  }
  const most = Math.max(8, ...high, ...low.map((value) => -value));
  const scale = (height / 2 - 1) / most;
  const step = width / low.length;
  const wide = Math.max(1, step - (step > 3 ? 1 : 0));
  for (const inside of [false, true]) {
    pen.beginPath();
    low.forEach((value, n) => {
      const middle = ((n + 0.5) / low.length) * duration;
      if ((whole || (middle >= start && middle < end)) !== inside) return;
      const top = height / 2 - high[n] * scale;
      pen.rect(n * step, top, wide, Math.max(1, (high[n] - value) * scale));
    });
    pen.fillStyle = colour(inside ? "wave-in" : "wave");
    pen.fill();
  }
  if (head !== null) {
    pen.fillStyle = colour("text");
    pen.fillRect(Math.min(width - ratio, at(head)), 0, Math.max(1, 1.5 * ratio), height);
  }
}

export class Waves {
  // arrived(ids): peaks are there that were not before.
  constructor(arrived) {
    this.arrived = arrived;
    this.kept = new Map();
    this.wanted = new Set();
    this.tries = new Map();
    this.fetch = rested(() => this.ask(), 60);
  }

  // The peaks of an item; null where there are none, or none yet: then they are fetched.
  of(id) {
    if (this.kept.has(id)) return this.kept.get(id);
    if ((this.tries.get(id) ?? 0) >= TRIES) return null;
    this.wanted.add(id);
    this.fetch();
    return null;
  }

  // Rows that have left the sight need none.
  only(ids) {
    const seen = new Set(ids);
    for (const id of this.wanted) if (!seen.has(id)) this.wanted.delete(id);
  }

  async ask() {
    const ids = [...this.wanted].slice(0, BATCH);
    if (!ids.length) return;
    this.wanted.clear();
    try {
      const { peaks } = await api.manyPeaks(ids);
      const missing = ids.filter((id) => !peaks[id]);
      for (const id of ids) if (peaks[id]) this.kept.set(id, peaks[id]);
      for (const id of missing) this.tries.set(id, (this.tries.get(id) ?? 0) + 1);
      for (const id of this.kept.keys()) if (this.kept.size > KEPT) this.kept.delete(id);
      if (missing.length) setTimeout(() => this.arrived(missing), PATIENCE); // drawn then, they are asked for again
      this.arrived(ids.filter((id) => peaks[id]));
    } catch {
      // A list without pictures is a list still; what is wrong with the server is said elsewhere.
    }
  }
}
