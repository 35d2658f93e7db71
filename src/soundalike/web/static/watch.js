// Checks periodically whether the server still answers, and whether its library has changed.

import * as api from "./api.js";

const PERIOD = 10_000; // ms

export class Watch {
  unreachable = false;

  /**
   * onChange: the library has changed; onGone: the server does not answer; onBack: it answers again.
   * @param {object} options
   * @param {string} options.state
   * @param {number} options.items
   * @param {(items: { now: number, before: number }) => void} options.onChange
   * @param {(message: string) => void} options.onGone
   * @param {() => void} options.onBack
   */
  constructor({ state, items, onChange, onGone, onBack }) {
    this.state = state;
    this.items = items;
    this.onChange = onChange;
    this.onGone = onGone;
    this.onBack = onBack;
    setInterval(() => document.hidden || this.check(), PERIOD);
    document.addEventListener("visibilitychange", () => document.hidden || this.check());
  }

  async check() {
    try {
      const { state, items } = await api.libraryState();
      if (this.unreachable) this.onBack();
      this.unreachable = false;
      if (state !== this.state) this.onChange({ now: items, before: this.items });
      this.state = state;
      this.items = items;
    } catch (error) {
      // Any other error will be shown when something else is requested.
      if (!(error instanceof api.ApiError) || error.status !== null) return;
      this.unreachable = true;
      this.onGone(error.message);
    }
  }
}
