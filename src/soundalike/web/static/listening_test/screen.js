// One page of the test at a time: heading, text, buttons to go on, progress. All texts come from the test's instructions.

import { $, buttonById, find, make } from "../dom.js";
import { blocks, inline } from "./markdown.js";

/** Parts of the page that only some steps show. */
const PARTS = ["level", "headphones", "trial"];

/** @typedef {{ id: string, label: string, usual?: boolean }} Choice */

export class Screen {
  /** @type {TestTexts} */
  texts = { title: "", language: "en", sections: {}, labels: {} };

  /** @param {TestTexts} texts */
  use(texts) {
    this.texts = texts;
    document.documentElement.lang = texts.language;
    document.title = $("title").textContent = texts.title;
    for (const element of document.querySelectorAll("[data-label]"))
      element.textContent = this.label(/** @type {HTMLElement} */ (element).dataset.label ?? "");
    $("sides").setAttribute("aria-label", this.label("excerpts"));
    $("grades").setAttribute("aria-label", this.label("answers"));
    $("tones").setAttribute("aria-label", this.label("quietest"));
    $("position").setAttribute("aria-label", this.label("position"));
  }

  /**
   * The text of a button or message, with `{name}` replaced by values.
   * @param {string} name
   * @param {Record<string, string | number>} [values]
   */
  label(name, values = {}) {
    return (this.texts.labels[name] ?? name).replace(/\{([a-z]+)\}/g, (whole, key) => String(values[key] ?? whole));
  }

  /**
   * Shows a page and moves the focus to its heading. part: what it has beside heading, text and buttons. spoken: added to the
   * heading for screen readers.
   * @param {string} section
   * @param {{ part?: string, heading?: string, spoken?: string, text?: string }} [options]
   */
  show(section, { part = "", heading, spoken = "", text } = {}) {
    const { heading: ownHeading = "", text: ownText = "" } = this.texts.sections[section] ?? {};
    for (const name of PARTS) $(name).hidden = name !== part;
    $("heading").replaceChildren(...inline(heading ?? ownHeading));
    if (spoken) $("heading").append(make("span", { class: "visually-hidden" }, `, ${spoken}`));
    $("text").replaceChildren(...blocks(text ?? ownText));
    $("shortcuts").hidden = part !== "trial";
    this.message("");
    this.clearChoices();
    $("heading").focus({ preventScroll: true });
    scrollTo(0, 0);
  }

  /**
   * A message under the page; screen readers announce it.
   * @param {string} text
   * @param {"" | "right" | "wrong"} [kind]
   */
  message(text, kind = "") {
    $("message").textContent = text;
    $("message").dataset.kind = kind;
  }

  /**
   * Buttons below the page; the first is the usual one unless it is not `usual`, and the enter key presses it. Resolves to the id of the one pressed.
   * @param {Choice[]} choices
   * @returns {Promise<string>}
   */
  choose(choices) {
    return new Promise((resolve) => {
      const buttons = choices.map(({ id, label, usual = true }, index) => {
        const button = make("button", { type: "button", id: `choice-${id}`, class: index || !usual ? "wide" : "wide primary" }, label);
        button.addEventListener("click", () => {
          this.clearChoices();
          resolve(id);
        });
        return button;
      });
      $("actions").replaceChildren(...buttons);
    });
  }

  /** Presses the usual button, if there is one. */
  pressPrimary() {
    const button = document.querySelector("#actions .primary");
    if (button instanceof HTMLButtonElement) button.click();
    return button !== null;
  }

  clearChoices() {
    $("actions").replaceChildren();
  }

  /**
   * @param {number} answered
   * @param {number} total
   */
  progress(answered, total) {
    const bar = find("#progress", document, HTMLProgressElement);
    bar.hidden = false;
    bar.max = total;
    bar.value = answered;
    bar.setAttribute("aria-label", this.label("progress", { number: answered, total }));
  }

  /** @param {string} text */
  count(text) {
    $("count").textContent = text;
    document.title = text ? `${text} – ${this.texts.title}` : this.texts.title;
  }

  /**
   * Ends with a message that the test cannot go on.
   * @param {string} message
   */
  fail(message) {
    for (const name of PARTS) $(name).hidden = true;
    $("shortcuts").hidden = true;
    $("heading").textContent = this.texts.title || "Listening test";
    $("text").replaceChildren(make("p", { class: "problem", role: "alert" }, message));
    this.message("");
    this.clearChoices();
  }
}

export const screen = new Screen();

/**
 * Sets a button that is pressed while something plays.
 * @param {string} id
 * @param {boolean} playing
 */
export function showPlaying(id, playing) {
  const button = buttonById(id);
  const label = `${playing ? "❚❚" : "▶"} ${screen.label(playing ? "pause" : "play")}`;
  if (button.textContent !== label) button.textContent = label;
  button.setAttribute("aria-pressed", String(playing));
}
