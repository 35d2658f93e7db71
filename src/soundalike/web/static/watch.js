// Looks every now and then whether the server still answers, and whether its library is another.

import * as api from "./api.js";

const PERIOD = 10_000; // ms

export class Watch {
  // onNew({items, before}): the library has changed; onGone(words): the server does not answer; onBack(): it does again.
  constructor({ state, items, onNew, onGone, onBack }) {
    Object.assign(this, { state, items, onNew, onGone, onBack, gone: false });
    setInterval(() => document.hidden || this.look(), PERIOD);
    document.addEventListener("visibilitychange", () => document.hidden || this.look());
  }

  async look() {
    try {
      const { state, items } = await api.libraryState();
      if (this.gone) this.onBack();
      this.gone = false;
      if (state !== this.state) this.onNew({ items, before: this.items });
      Object.assign(this, { state, items });
    } catch (error) {
      if (!error.gone) return; // it answers, if in words: who asks for more is told them
      this.gone = true;
      this.onGone(error.message);
    }
  }
}
