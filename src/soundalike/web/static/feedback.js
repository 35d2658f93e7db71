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
  /** @type {{ id: string, item: string | null, message: string, restore: () => void }[]} */
  given = [];
  /** Whether an answer about a single hit is being saved: pressing a key again changes nothing until it is. */
  saving = false;
  /** @type {Hit | null} */
  held = null;
  /** @type {Hit | null} */
  other = null;
  total = 0;

  /**
   * answers(): those about single hits of the current question, by item; context(): what an answer would refer to, throws if hits
   * cannot be judged now. onChange: marks have changed; onAnswer: a hit was judged, or an answer withdrawn.
   * @param {object} options
   * @param {() => Map<string, "alike" | "not alike">} options.answers
   * @param {() => AnswerContext} options.context
   * @param {() => void} options.onChange
   * @param {() => void} options.onAnswer
   */
  constructor({ answers, context, onChange, onAnswer }) {
    this.answers = answers;
    this.context = context;
    this.onChange = onChange;
    this.onAnswer = onAnswer;
    $("closer-first").addEventListener("click", () => this.chooseCloser("a"));
    $("closer-second").addEventListener("click", () => this.chooseCloser("b"));
    $("closer-cancel").addEventListener("click", () => this.cancelComparison());
    $("undo").addEventListener("click", () => this.undo());
  }

  /** Another reference is compared. */
  reset() {
    this.cancelComparison();
  }

  /**
   * @param {Hit} hit
   * @returns {HitMarks}
   */
  marks(hit) {
    return { answer: this.answers().get(hit.item.id) ?? null, held: this.held?.item.id === hit.item.id };
  }

  /** What all answers contain. */
  body() {
    const { reference, region, weights } = this.context();
    return { reference: region ? { ...reference, region } : reference, weights };
  }

  /**
   * Answers whether a hit is alike; the same answer again withdraws it, the other one replaces it.
   * @param {Hit} hit
   * @param {boolean} alike
   */
  async answerAlike(hit, alike) {
    if (this.saving) return;
    this.saving = true;
    try {
      const answers = this.answers();
      const item = hit.item.id;
      const before = answers.get(item);
      const answer = alike ? "alike" : "not alike";
      const earlier = this.given.findLast((one) => one.item === item);
      if (before && earlier) await this.withdraw(earlier);
      if (before !== answer || !earlier) {
        const { id, count } = await api.addAnswer({ ...this.body(), hit: secondsOf(hit), alike });
        answers.set(item, answer);
        this.saved(id, count, `${title(hit.item)}: ${answer}`, { item, restore: () => answers.delete(item) });
      }
      this.onAnswer();
    } finally {
      this.saving = false;
    }
  }

  /** @param {Feedback["given"][number]} one */
  async withdraw(one) {
    await api.withdrawAnswer(one.id);
    this.given = this.given.filter((other) => other !== one);
    one.restore();
    this.showCount(this.total - 1);
    showStatus(`answer withdrawn: ${one.message}`);
    this.onChange();
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
      this.saved(id, count, `${title((closer === "a" ? a : b).item)} is closer`, { item: null, restore: () => {} });
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
   * @param {{ item: string | null, restore: () => void }} options
   */
  saved(id, count, message, { item, restore }) {
    this.given.push({ id, item, message, restore });
    this.showCount(count);
    showStatus(`answer saved: ${message} (U withdraws it)`);
    this.onChange();
  }

  async undo() {
    try {
      const last = this.given.at(-1);
      if (!last) throw new Error("there is no answer of this visit to withdraw");
      await this.withdraw(last);
      if (last.item) this.onAnswer();
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
