// One strip for each part: hear it, its weight (a signed slider; mute, solo, lock), and compare it alone.

import { $, make, setPressed } from "./dom.js";
import { activeParts, lock, sharesOf, strip, unlock, weightsOf } from "./weights.js";

/** @param {number} weight */
const percent = (weight) => `${weight < 0 ? "−" : ""}${Math.round(100 * Math.abs(weight))} %`;

/**
 * @param {string} part
 * @param {boolean} silent
 */
function hearTitle(part, silent) {
  if (part === "mix") return "hear all of the reference";
  return silent ? `hear what is left in the ${part} of the reference: too quiet to count` : `hear the ${part} of the reference alone`;
}

/** @typedef {"mute" | "solo" | "lock"} Switch */

export class Sliders {
  /**
   * onMove: weights have changed; onRelease: and the slider was released; onHear(part): this part of the reference is to be heard;
   * onCompare(part): it alone is to be compared.
   * @param {HTMLElement} box
   * @param {object} options
   * @param {string[]} options.parts
   * @param {() => void} options.onMove
   * @param {() => void} options.onRelease
   * @param {(part: string) => void} options.onHear
   * @param {(part: string) => void} options.onCompare
   */
  constructor(box, { parts, onMove, onRelease, onHear, onCompare }) {
    this.parts = parts;
    this.onMove = onMove;
    this.onRelease = onRelease;
    this.onHear = onHear;
    this.onCompare = onCompare;
    this.strips = Object.fromEntries(parts.map((part) => [part, strip()]));
    this.rows = new Map(parts.map((part) => [part, this.makeRow(part)]));
    box.replaceChildren(...[...this.rows.values()].map(({ row }) => row));
    this.show();
  }

  get weights() {
    return weightsOf(this.strips, this.silentParts);
  }

  /**
   * Sets the strips of the parts that exist here. silent: without calling onMove.
   * @param {Record<string, Strip>} strips
   * @param {{ silent?: boolean }} [options]
   */
  set(strips, { silent = false } = {}) {
    this.strips = Object.fromEntries(this.parts.map((part) => [part, strips[part] ?? strip(0)]));
    this.show();
    if (!silent) this.onMove();
  }

  /** @param {ByPart} values */
  setValues(values) {
    this.set(Object.fromEntries(this.parts.map((part) => [part, strip(values[part] ?? 0)])));
  }

  /** @param {string} part */
  makeRow(part) {
    const slider = make("input", { type: "range", min: "-1", max: "1", step: "0.01", id: `weight-${part}` });
    const output = make("output", { "aria-hidden": "true" });
    const swatch = make("i", { class: "swatch", "aria-hidden": "true" });
    swatch.dataset.part = part;
    const buttons = {
      mute: this.makeSwitch(part, "mute", "M", `mute ${part}: it does not count; its slider stays where it is`),
      solo: this.makeSwitch(part, "solo", "S", `solo ${part}: only soloed parts count`),
      lock: this.makeSwitch(part, "lock", "", `lock ${part}: it keeps its weight while others move`),
    };
    const label = make("label", { htmlFor: slider.id, textContent: part });
    const hear = make("button", { type: "button", class: "hear", textContent: "▶", disabled: true });
    hear.addEventListener("click", () => this.onHear(part));
    const compare = make("button", { type: "button", class: "compare", textContent: "compare", title: `compare the ${part} alone; press again to leave the choice to the weights`, "aria-label": `compare the ${part} alone` });
    compare.addEventListener("click", () => this.onCompare(part));
    const row = make("div", { class: "strip", role: "group", "aria-label": part }, hear, swatch, label, output, ...Object.values(buttons), slider, compare);
    row.dataset.part = part;
    // Zero is hard to hit with a pointer, so that values close to it count as zero. Keys move in steps.
    let dragged = false;
    slider.addEventListener("pointerdown", () => (dragged = true));
    slider.addEventListener("keydown", () => (dragged = false));
    slider.addEventListener("input", () => {
      const value = slider.valueAsNumber;
      this.move(part, dragged && Math.abs(value) < 0.04 ? 0 : value);
    });
    slider.addEventListener("change", () => this.onRelease());
    slider.addEventListener("dblclick", () => {
      this.move(part, 0);
      this.onRelease();
    });
    return { row, slider, output, buttons, hear, compare };
  }

  /**
   * @param {string} part
   * @param {Switch} name
   * @param {string} textContent
   * @param {string} title
   */
  makeSwitch(part, name, textContent, title) {
    const button = make("button", { type: "button", class: name, textContent, title, "aria-label": title });
    button.addEventListener("click", () => this.toggle(part, name));
    return button;
  }

  /**
   * @param {string} part
   * @param {number} value
   */
  move(part, value) {
    this.strips[part] = { ...this.strips[part], value };
    this.show();
    this.onMove();
  }

  /**
   * @param {string} part
   * @param {Switch} name
   */
  toggle(part, name) {
    const { muted, solo, locked } = this.strips[part];
    if (name === "lock") this.strips = locked === null ? lock(this.strips, part, this.silentParts) : unlock(this.strips, part, this.silentParts);
    else this.strips[part] = { ...this.strips[part], ...(name === "mute" ? { muted: !muted } : { solo: !solo }) };
    this.show();
    this.onMove();
    this.onRelease();
  }

  /**
   * Parts that are silent in the reference, as far as that is known.
   * @type {string[]}
   */
  silentParts = [];

  /** @param {string[]} parts that are silent in the reference, so that their weights have no effect */
  showSilent(parts) {
    this.silentParts = parts;
    this.show();
  }

  /** Whether the weights have no effect, because a part was chosen or there is only one. */
  idle = false;

  /**
   * Shows which part is heard; null: none can be.
   * @param {string | null} heard
   * @param {boolean} playing
   */
  showHeard(heard, playing) {
    for (const [part, { hear }] of this.rows) {
      const on = playing && part === (heard || "mix");
      hear.disabled = heard === null;
      setPressed(hear, on);
      hear.textContent = on ? "❚❚" : "▶";
    }
  }

  /**
   * Shows which part alone is compared; null: the weights of all count, and there is no choice.
   * @param {string | null} compared
   * @param {{ chosen: boolean, selectable: boolean }} options selectable: whether another part can be chosen
   */
  showCompared(compared, { chosen, selectable }) {
    this.idle = Boolean(compared && (chosen || !selectable));
    $("sliders").classList.toggle("unused", this.idle);
    for (const [part, { row, compare }] of this.rows) {
      compare.hidden = !compared || !selectable;
      setPressed(compare, part === compared);
      row.classList.toggle("compared", part === compared);
    }
    this.show();
  }

  show() {
    const shares = sharesOf(this.strips, this.silentParts);
    const active = new Set(activeParts(this.strips));
    for (const [part, { row, slider, output, buttons, hear }] of this.rows) {
      const { value, muted, solo, locked } = this.strips[part];
      const share = shares[part] ?? 0;
      const silent = this.silentParts.includes(part);
      const position = locked === null ? value : Math.max(-1, Math.min(1, locked));
      slider.value = String(position);
      slider.disabled = locked !== null || this.idle;
      slider.style.setProperty("--low", `${50 + 50 * Math.min(0, position)}%`);
      slider.style.setProperty("--high", `${50 + 50 * Math.max(0, position)}%`);
      output.textContent = silent ? "silent" : percent(share);
      const spoken = silent ? "silent in the reference, no effect" : `${percent(share).replace("−", "less similar, ")} of the score`;
      slider.setAttribute("aria-valuetext", `${spoken}${muted ? ", muted" : ""}${locked === null ? "" : ", locked"}`);
      row.title = silent ? `nothing in the reference was recognised as ${part}, so this weight has no effect on its hits` : "";
      row.classList.toggle("silent", silent);
      row.classList.toggle("idle", !active.has(part));
      row.classList.toggle("negative", share < 0);
      hear.title = hearTitle(part, silent);
      hear.setAttribute("aria-label", hear.title);
      setPressed(buttons.mute, muted);
      setPressed(buttons.solo, solo);
      setPressed(buttons.lock, locked !== null);
    }
    $("lock-note").hidden = !Object.values(this.strips).some(({ locked }) => locked !== null);
  }
}
