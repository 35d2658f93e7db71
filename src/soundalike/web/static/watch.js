// Checks periodically whether the server still answers, and whether its library has changed.

import * as api from "./api.js";

const PERIOD = 10_000; // ms

export class Watch {
  unreachable = false;

  /**
   * shown: the library as the page shows it; onChange: it has changed; onGone: the server does not answer; onBack: it answers again.
   * @param {object} options
   * @param {LibraryState} options.shown
   * @param {(items: { now: number, before: number }) => void} options.onChange
   * @param {(message: string) => void} options.onGone
   * @param {() => void} options.onBack
   */
  constructor({ shown, onChange, onGone, onBack }) {
    this.known = shown;
    this.onChange = onChange;
    this.onGone = onGone;
    this.onBack = onBack;
    setInterval(() => document.hidden || this.check(), PERIOD);
    document.addEventListener("visibilitychange", () => document.hidden || this.check());
  }

  /**
   * The page shows the library in this state now.
   * @param {LibraryState} shown
   */
  take(shown) {
    this.known = shown;
  }

  async check() {
    const { known } = this;
    try {
      const found = await api.libraryState();
      if (this.unreachable) this.onBack();
      this.unreachable = false;
      if (known !== this.known) return; // another state was taken or found since
      this.known = found;
      if (found.state !== known.state) this.onChange({ now: found.items, before: known.items });
    } catch (error) {
      // Any other error will be shown when something else is requested.
      if (!(error instanceof api.ApiError) || error.status !== null) return;
      this.unreachable = true;
      this.onGone(error.message);
    }
  }
}
