// How long something that takes its time has been going on, for those who look; nothing is read out.

import { duration } from "./format.js";

const SHOWN_AFTER = 3; // s; what is faster needs no clock

export class Elapsed {
  /** @type {ReturnType<typeof setInterval> | undefined} */
  timer = undefined;
  began = 0;

  /** @param {HTMLElement} element whose text it is */
  constructor(element) {
    this.element = element;
  }

  /**
   * Starts the clock, unless it is running, or stops it.
   * @param {boolean} running
   */
  run(running) {
    if (running === (this.timer !== undefined)) return;
    clearInterval(this.timer);
    this.timer = undefined;
    this.element.textContent = "";
    if (!running) return;
    this.began = performance.now();
    this.timer = setInterval(() => {
      const seconds = Math.floor((performance.now() - this.began) / 1000);
      if (seconds >= SHOWN_AFTER) this.element.textContent = `${seconds < 60 ? `${seconds} s` : duration(seconds)} so far`;
    }, 1000);
  }
}
