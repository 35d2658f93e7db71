// The keyboard. Digits are told by their place on the keyboard, so that they need no shift key on a French one.

import { $, inputById } from "../dom.js";
import { screen } from "./screen.js";
import { GRADES } from "./trial_view.js";

const STORED = "soundalike-keys";
const SEEK = 1; // s

/** @type {Record<string, TrialSide>} */
const SIDE_KEYS = { 1: "x", 2: "a", 3: "b", x: "x", a: "a", b: "b" };

/**
 * The digit of a key event, or its letter in lower case.
 * @param {KeyboardEvent} event
 */
const keyOf = (event) => /^(?:Digit|Numpad)(\d)$/.exec(event.code)?.[1] ?? event.key.toLowerCase();

/** @param {import("./trial_view.js").TrialView} view */
export function connectKeys(view) {
  const enabled = inputById("keys");
  const showHelp = () => ($("keys-help").hidden = !enabled.checked);
  try {
    enabled.checked = localStorage.getItem(STORED) !== "off";
  } catch {
    // storage is blocked: shortcuts are on at first
  }
  showHelp();
  enabled.addEventListener("change", () => {
    showHelp();
    document.documentElement.classList.toggle("no-keys", !enabled.checked);
    try {
      localStorage.setItem(STORED, enabled.checked ? "on" : "off");
    } catch {
      // storage is blocked: it lasts as long as the page
    }
  });
  document.documentElement.classList.toggle("no-keys", !enabled.checked);
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (handled(event, view, enabled.checked)) event.preventDefault();
  });
}

/**
 * Acts on a key; returns whether it meant anything.
 * @param {KeyboardEvent} event
 * @param {import("./trial_view.js").TrialView} view
 * @param {boolean} letters whether keys that are characters are shortcuts
 */
function handled(event, view, letters) {
  const target = event.target instanceof Element ? event.target : document.body;
  const onButton = target.matches("button, a, [type=checkbox]");
  const key = keyOf(event);
  if (key === "enter") return !onButton && screen.pressPrimary();
  if (!$("trial").hidden) {
    if (key === " ") {
      if (onButton || event.repeat) return false;
      view.toggle();
      return true;
    }
    if (key === "arrowleft" || key === "arrowright") {
      if (target.matches("[type=range]")) return false;
      view.move(key === "arrowleft" ? -SEEK : SEEK);
      return true;
    }
    if (!letters) return false;
    if (key in SIDE_KEYS) {
      view.hear(SIDE_KEYS[key]);
      return true;
    }
    const grade = GRADES.find((one) => one.key === key);
    if (grade && !event.repeat) view.give(grade.answer);
    return grade !== undefined;
  }
  if (!$("headphones").hidden && letters && ["1", "2", "3"].includes(key)) {
    const button = $("tones").querySelectorAll("button")[Number(key) - 1];
    if (button && !button.disabled && !event.repeat) button.click();
    return true;
  }
  return false;
}
