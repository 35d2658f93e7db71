// The listener's answers about hits ("alike", "not alike", "which of two is closer"): sent to the server for fitting weights, and
// withdrawn.

import * as api from "./api.js";
import { $, buttonById, inputById } from "./dom.js";
import { plural, title } from "./format.js";
import { messageOf, showStatus } from "./status.js";

/**
 * What an answer refers to.
 * @typedef {{ reference: ReferenceId, region: Region | null, weights: ByPart }} AnswerContext
 */

/** @param {Hit} hit */
const secondsOf = ({ item, start, end }) => ({ item: item.id, start, end });

export class Feedback {
  /** @type {{ id: string, message: string, restore: () => void }[]} */
  given = [];
  /**
   * Answers about single hits under the present reference, by item.
   * @type {Map<string, "alike" | "not alike">}
   */
  answers = new Map();
  /** @type {Hit | null} */
  held = null;
  /** @type {Hit | null} */
  other = null;
  total = 0;

  /**
   * context(): what an answer would refer to; throws if hits cannot be judged now. onChange: marks have changed.
   * @param {object} options
   * @param {() => AnswerContext} options.context
   * @param {() => void} options.onChange
   */
  constructor({ context, onChange }) {
    this.context = context;
    this.onChange = onChange;
    $("closer-first").addEventListener("click", () => this.chooseCloser("a"));
    $("closer-second").addEventListener("click", () => this.chooseCloser("b"));
    $("closer-cancel").addEventListener("click", () => this.cancelComparison());
    $("undo").addEventListener("click", () => this.undo());
  }

  /** Forgets the marks of the previous reference. */
  reset() {
    this.answers.clear();
    this.cancelComparison();
  }

  /**
   * @param {Hit} hit
   * @returns {HitMarks}
   */
  marks(hit) {
    return { answer: this.answers.get(hit.item.id) ?? null, held: this.held?.item.id === hit.item.id };
  }

  /** What all answers contain. */
  body() {
    const { reference, region, weights } = this.context();
    return { reference: region ? { ...reference, region } : reference, weights };
  }

  /**
   * @param {Hit} hit
   * @param {boolean} alike
   */
  async answerAlike(hit, alike) {
    const { id, count } = await api.addAnswer({ ...this.body(), hit: secondsOf(hit), alike });
    const item = hit.item.id;
    const before = this.answers.get(item);
    const answer = alike ? "alike" : "not alike";
    this.answers.set(item, answer);
    const restore = () => (before ? this.answers.set(item, before) : this.answers.delete(item));
    this.saved(id, count, `${title(hit.item)}: ${answer}`, restore);
  }

  /**
   * Holds a hit, to be compared with the next one that is chosen.
   * @param {Hit} hit
   */
  hold(hit) {
    this.context();
    if (this.held?.item.id === hit.item.id) return this.cancelComparison();
    this.held = hit;
    this.other = null;
    return this.show();
  }

  /**
   * A hit was chosen: the held one is compared with it.
   * @param {Hit} hit
   */
  onChosen(hit) {
    if (!this.held || hit.item.id === this.held.item.id) return;
    this.other = hit;
    this.show();
  }

  cancelComparison() {
    this.held = this.other = null;
    this.show();
  }

  /** @param {"a" | "b"} closer */
  async chooseCloser(closer) {
    const [a, b] = [this.held, this.other];
    if (!a || !b) return;
    try {
      const unsure = inputById("closer-unsure");
      const answer = { ...this.body(), a: secondsOf(a), b: secondsOf(b), closer, sure: !unsure.checked };
      const { id, count } = await api.addAnswer(answer);
      this.saved(id, count, `${title((closer === "a" ? a : b).item)} is closer`, () => {});
      unsure.checked = false;
      this.cancelComparison();
    } catch (error) {
      showStatus(messageOf(error), { problem: true });
    }
  }

  /**
   * @param {string} id
   * @param {number} count
   * @param {string} message
   * @param {() => void} restore
   */
  saved(id, count, message, restore) {
    this.given.push({ id, message, restore });
    this.showCount(count);
    showStatus(`answer saved: ${message} (U withdraws it)`);
    this.onChange();
  }

  async undo() {
    try {
      const last = this.given.at(-1);
      if (!last) throw new Error("there is no answer of this visit to withdraw");
      await api.withdrawAnswer(last.id);
      this.given.pop();
      last.restore();
      this.showCount(this.total - 1);
      showStatus(`answer withdrawn: ${last.message}`);
      this.onChange();
    } catch (error) {
      showStatus(messageOf(error), { problem: true });
    }
  }

  /** @param {number} total */
  showCount(total) {
    this.total = total;
    $("answers").hidden = !total;
    $("answers").textContent = plural(total, "answer");
    $("undo").hidden = !this.given.length;
  }

  show() {
    $("closer").hidden = !this.held;
    if (this.held) {
      $("closer-first-name").textContent = title(this.held.item);
      $("closer-second-name").textContent = this.other ? title(this.other.item) : "choose another hit";
      for (const id of ["closer-first", "closer-second"]) buttonById(id).disabled = !this.other;
    }
    this.onChange();
  }
}
