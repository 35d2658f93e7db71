// The line of words above the list: what is going on, and what went wrong.

import { $ } from "./dom.js";

export function say(words, { problem = false } = {}) {
  $("status").textContent = words;
  $("status").classList.toggle("problem", problem);
  $("status").classList.remove("provisional");
}

// The order is the page's own, until the server has been asked.
export const provisional = () => $("status").classList.add("provisional");

// Runs something that may fail; says what went wrong.
export async function run(action) {
  try {
    await action();
  } catch (error) {
    if (error.name !== "AbortError") say(error.message, { problem: true });
  }
}
