// The mixer: a slider for each part with its share, and what locks, mutes and solos it.

import { $, make, pressed } from "./dom.js";
import { counting, lock, shares, strip, unlock } from "./shares.js";

const percent = (share) => `${share < 0 ? "−" : ""}${Math.round(100 * Math.abs(share))} %`;

export class Sliders {
  // onMove: shares have changed; onRest: and the hand has let go.
  constructor(box, parts, onMove, onRest) {
    Object.assign(this, { box, parts, onMove, onRest });
    this.strips = Object.fromEntries(parts.map((part) => [part, strip()]));
    this.rows = new Map(parts.map((part) => [part, this.row(part)]));
    box.replaceChildren(...this.rows.values());
    this.show();
  }

  get shares() {
    return shares(this.strips);
  }

  // Takes strips, of the parts that are here; quiet: without telling.
  set(strips, { quiet = false } = {}) {
    this.strips = Object.fromEntries(this.parts.map((part) => [part, strips[part] ?? strip(0)]));
    this.show();
    if (!quiet) this.onMove();
  }

  setValues(values, how) {
    this.set(Object.fromEntries(this.parts.map((part) => [part, strip(values[part] ?? 0)])), how);
  }

  row(part) {
    const slider = make("input", { type: "range", min: -1, max: 1, step: 0.01, id: `weight-${part}` });
    const output = make("output", { "aria-hidden": "true" });
    const button = (name, letter, does) => {
      const found = make("button", { type: "button", class: name, textContent: letter, title: does, "aria-label": does });
      found.addEventListener("click", () => this.change(part, name));
      return found;
    };
    const row = make(
      "div",
      { class: "strip", role: "group", "aria-label": part },
      make("i", { class: "swatch", "aria-hidden": "true" }),
      make("label", { htmlFor: slider.id, textContent: part }),
      output,
      button("mute", "M", `mute ${part}: it counts no more, its value is remembered`),
      button("solo", "S", `solo ${part}: only what is soloed counts`),
      button("lock", "", `lock ${part}: it keeps its share while others move`),
      slider,
    );
    row.dataset.part = part;
    row.querySelector(".swatch").dataset.part = part;
    Object.assign(row, { slider, output });
    // The middle is hard to hit by hand: near it is it. Keys go step by step.
    let held = false;
    slider.addEventListener("pointerdown", () => (held = true));
    slider.addEventListener("keydown", () => (held = false));
    slider.addEventListener("input", () => this.move(part, held && Math.abs(slider.value) < 0.04 ? 0 : Number(slider.value)));
    slider.addEventListener("change", () => this.onRest());
    slider.addEventListener("dblclick", () => {
      this.move(part, 0);
      this.onRest();
    });
    return row;
  }

  move(part, value) {
    this.strips[part] = { ...this.strips[part], value };
    this.show();
    this.onMove();
  }

  change(part, what) {
    const { muted, solo, locked } = this.strips[part];
    if (what === "lock") this.strips = locked === null ? lock(this.strips, part) : unlock(this.strips, part);
    else this.strips[part] = { ...this.strips[part], ...(what === "mute" ? { muted: !muted } : { solo: !solo }) };
    this.show();
    this.onMove();
    this.onRest();
  }

  show() {
    const found = this.shares;
    const heard = new Set(counting(this.strips));
    for (const [part, row] of this.rows) {
      const { value, muted, solo, locked } = this.strips[part];
      const share = found[part] ?? 0;
      const place = locked === null ? value : Math.max(-1, Math.min(1, locked));
      row.slider.value = place;
      row.slider.disabled = locked !== null;
      row.slider.style.setProperty("--low", `${50 + 50 * Math.min(0, place)}%`);
      row.slider.style.setProperty("--high", `${50 + 50 * Math.max(0, place)}%`);
      row.output.textContent = percent(share);
      row.slider.setAttribute("aria-valuetext", `${percent(share).replace("−", "less like, ")} of the score${muted ? ", muted" : ""}${locked === null ? "" : ", locked"}`);
      row.classList.toggle("idle", !heard.has(part));
      row.classList.toggle("negative", share < 0);
      pressed(row.querySelector(".mute"), muted);
      pressed(row.querySelector(".solo"), solo);
      pressed(row.querySelector(".lock"), locked !== null);
    }
    $("lock-words").hidden = !Object.values(this.strips).some(({ locked }) => locked !== null);
  }
}
