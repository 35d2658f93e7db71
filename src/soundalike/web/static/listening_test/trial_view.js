// One trial: switch between X, A and B, then answer.

import { $, buttonById, find, inputById, make, setPressed } from "../dom.js";
import { SIDES, TrialMixer } from "./mixer.js";
import { screen, showPlaying } from "./screen.js";
import { sound } from "./sound_output.js";

const MIN_HEARD = 1; // s of each, before an answer counts

/** @type {{ answer: TrialAnswer, label: string, key: string }[]} */
export const GRADES = [
  { answer: "A+", label: "a_clearly", key: "6" },
  { answer: "A-", label: "a_slightly", key: "7" },
  { answer: "B-", label: "b_slightly", key: "8" },
  { answer: "B+", label: "b_clearly", key: "9" },
  { answer: "cant_tell", label: "cant_tell", key: "0" },
];

export class TrialView {
  /** @type {TrialMixer | null} */
  mixer = null;
  /** @type {((given: GivenAnswer) => void) | null} */
  resolve = null;
  shownAt = 0;
  /** Whether all three were heard. */
  ready = false;
  minHeard = MIN_HEARD;

  constructor() {
    for (const side of SIDES) buttonById(`side-${side}`).addEventListener("click", () => this.press(side));
    buttonById("toggle").addEventListener("click", () => this.toggle());
    inputById("position").addEventListener("input", () => this.mixer?.seek(Number(inputById("position").value)));
  }

  /** Makes the answer buttons, once the texts are known. */
  prepare() {
    const buttons = GRADES.map(({ answer, label, key }) => {
      const button = make("button", { type: "button", id: `grade-${label}`, "data-answer": answer }, screen.label(label));
      button.append(make("span", { class: "note" }, make("kbd", {}, key)));
      button.addEventListener("click", () => this.give(answer));
      return button;
    });
    $("grades").replaceChildren(...buttons);
  }

  /**
   * Loads a trial, plays it, and resolves to the listener's answer. Rejects if its audio cannot be loaded.
   * @param {string} trial
   * @returns {Promise<GivenAnswer>}
   */
  async ask(trial) {
    this.ready = false;
    for (const side of SIDES) this.mark(side, false);
    this.enable(false);
    $("hint").textContent = screen.label("loading");
    showPlaying("toggle", false);
    const { context, output } = sound.open();
    const mixer = new TrialMixer(context, output, await sound.buffers(trial));
    this.mixer = mixer;
    $("hint").textContent = screen.label("listen_first");
    inputById("position").max = mixer.duration.toFixed(1);
    this.shownAt = performance.now();
    if (sound.running) mixer.play(); // otherwise the browser waits for a gesture
    this.refresh();
    return new Promise((resolve) => {
      this.resolve = resolve;
      this.watch(mixer);
    });
  }

  /**
   * Updates what is shown while the trial lasts.
   * @param {TrialMixer} mixer
   */
  watch(mixer) {
    if (this.mixer !== mixer) return;
    this.refresh();
    requestAnimationFrame(() => this.watch(mixer));
  }

  refresh() {
    const { mixer } = this;
    if (!mixer) return;
    for (const side of SIDES) setPressed(buttonById(`side-${side}`), side === mixer.side && mixer.playing);
    showPlaying("toggle", mixer.playing);
    const slider = inputById("position");
    if (!slider.matches(":active")) slider.value = mixer.position.toFixed(1);
    const spoken = `${Math.floor(mixer.position)} s / ${Math.round(mixer.duration)} s`;
    slider.setAttribute("aria-valuetext", spoken);
    slider.style.setProperty("--done", `${(100 * mixer.position) / mixer.duration}%`);
    if ($("time").textContent !== spoken) $("time").textContent = spoken;
    const { heard } = mixer;
    for (const side of SIDES) this.mark(side, heard[side] >= this.minHeard);
    if (!this.ready && SIDES.every((side) => heard[side] >= this.minHeard)) {
      this.ready = true;
      this.enable(true);
      $("hint").textContent = screen.label("now_answer");
    }
  }

  /**
   * @param {TrialSide} side
   * @param {boolean} heard
   */
  mark(side, heard) {
    const button = buttonById(`side-${side}`);
    const mark = find(".mark", button);
    const shown = heard ? "✓" : "";
    if (mark.textContent !== shown) mark.textContent = shown;
    const label = heard ? `${side.toUpperCase()}, ${screen.label("heard")}` : side.toUpperCase();
    if (button.getAttribute("aria-label") !== label) button.setAttribute("aria-label", label);
  }

  /** @param {boolean} on */
  enable(on) {
    for (const button of $("grades").querySelectorAll("button")) button.disabled = !on;
  }

  /**
   * Hears a side; pressing the one that is heard pauses, once it was heard long enough: X begins by itself, and who presses it
   * then wants to hear it.
   * @param {TrialSide} side
   */
  press(side) {
    if (this.mixer?.playing && this.mixer.side === side && this.mixer.heard[side] >= this.minHeard) this.toggle();
    else this.hear(side);
  }

  /** @param {TrialSide} side */
  hear(side) {
    if (!this.mixer) return;
    this.mixer.switchTo(side);
    if (!this.mixer.playing || !sound.running) this.toggle();
    this.refresh();
  }

  async toggle() {
    const { mixer } = this;
    if (!mixer) return;
    const interrupted = mixer.playing && !sound.running; // by a call, or by the phone's lock: it goes on
    await sound.resume();
    if (this.mixer !== mixer) return;
    if (!interrupted) mixer.toggle();
    this.refresh();
  }

  /** @param {number} seconds */
  move(seconds) {
    const { mixer } = this;
    if (mixer) mixer.seek((mixer.position + seconds + mixer.duration) % mixer.duration);
  }

  /** @param {TrialAnswer} answer */
  give(answer) {
    const { mixer, resolve } = this;
    if (!mixer || !resolve) return;
    if (!this.ready) {
      $("hint").textContent = screen.label("listen_first");
      return;
    }
    const given = { answer, heard: mixer.heard, switches: mixer.switches, seconds: (performance.now() - this.shownAt) / 1000 };
    this.resolve = null;
    this.mixer = null;
    mixer.close();
    this.enable(false);
    resolve(given);
  }
}
