// "Alike", "not alike", "which of two is closer": what was said of hits, sent to be kept for fitting weights, and taken back.

import * as api from "./api.js";
import { $ } from "./dom.js";
import { title } from "./words.js";

export class Judgements {
  // context(): {reference, region, weights} of now, raises where nothing can be judged; onChange(): marks have changed; say(words).
  constructor({ context, onChange, say }) {
    Object.assign(this, { context, onChange, say, given: [], held: null, other: null, marks: new Map() });
    $("closer-first").addEventListener("click", () => this.closer("a"));
    $("closer-second").addEventListener("click", () => this.closer("b"));
    $("closer-cancel").addEventListener("click", () => this.release());
    $("undo").addEventListener("click", () => this.undo().catch((error) => say(error.message, { problem: true })));
  }

  // Another reference: what was said belongs to the one before.
  forget() {
    this.marks.clear();
    this.release();
  }

  judged(hit) {
    return this.marks.get(hit.item.id) ?? null;
  }

  place = ({ item, start, end }) => ({ item: item.id, start, end });

  body() {
    const { reference, region, weights } = this.context();
    return { reference: region ? { ...reference, region } : reference, weights };
  }

  async alike(hit, yes) {
    const { id, count } = await api.judge({ ...this.body(), hit: this.place(hit), alike: yes });
    const before = this.marks.get(hit.item.id);
    this.marks.set(hit.item.id, yes ? "alike" : "not alike");
    this.took(id, count, `${title(hit.item)}: ${yes ? "alike" : "not alike"}`, () =>
      before ? this.marks.set(hit.item.id, before) : this.marks.delete(hit.item.id),
    );
  }

  // Holds a hit to be compared with the next one that is chosen.
  hold(hit) {
    this.context();
    if (this.held?.item.id === hit.item.id) return this.release();
    this.held = hit;
    this.other = null;
    this.show();
    return undefined;
  }

  // A hit was chosen: it is what the held one is compared with.
  chose(hit) {
    if (!this.held || hit.item.id === this.held.item.id) return;
    this.other = hit;
    this.show();
  }

  release() {
    this.held = this.other = null;
    this.show();
  }

  get pair() {
    return this.held && this.other;
  }

  async closer(which) {
    if (!this.pair) return;
    try {
      const [a, b] = [this.held, this.other];
      const { id, count } = await api.judge({ ...this.body(), a: this.place(a), b: this.place(b), closer: which, sure: !$("closer-unsure").checked });
      this.took(id, count, `${title((which === "a" ? a : b).item)} is the closer one`, () => {});
      $("closer-unsure").checked = false;
      this.release();
    } catch (error) {
      this.say(error.message, { problem: true });
    }
  }

  took(id, count, words, back) {
    this.given.push({ id, words, back });
    this.count(count);
    this.say(`kept: ${words} (U takes it back)`);
    this.onChange();
  }

  async undo() {
    const last = this.given.at(-1);
    if (!last) throw new Error("there is no answer of this visit to take back");
    await api.unjudge(last.id);
    this.given.pop();
    last.back();
    this.count(this.total - 1);
    this.say(`taken back: ${last.words}`);
    this.onChange();
  }

  count(total) {
    this.total = total;
    $("answers").hidden = !total;
    $("answers").textContent = `${total} answer${total === 1 ? "" : "s"}`;
    $("undo").hidden = !this.given.length;
  }

  show() {
    $("closer").hidden = !this.held;
    if (this.held) {
      $("closer-first-name").textContent = title(this.held.item);
      $("closer-second-name").textContent = this.other ? title(this.other.item) : "choose another hit to compare";
      for (const id of ["closer-first", "closer-second"]) $(id).disabled = !this.other;
    }
    this.onChange();
  }
}
