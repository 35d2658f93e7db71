// The line of text above the list: what happens, and what went wrong.

import { isAbort } from "./api.js";
import { $ } from "./dom.js";

/**
 * @param {string} message
 * @param {{ problem?: boolean }} [options]
 */
export function showStatus(message, { problem = false } = {}) {
  $("status").textContent = message;
  $("status").classList.toggle("problem", problem);
  $("status").classList.remove("provisional");
}

/** Marks the order of the hits as the page's own, until the server has answered. */
export const showProvisional = () => $("status").classList.add("provisional");

/** @param {unknown} error */
export const messageOf = (error) => (error instanceof Error ? error.message : String(error));

/**
 * Runs an action; if it fails, shows why.
 * @param {() => unknown} action
 */
export async function run(action) {
  try {
    await action();
  } catch (error) {
    if (!isAbort(error)) showStatus(messageOf(error), { problem: true });
  }
}
