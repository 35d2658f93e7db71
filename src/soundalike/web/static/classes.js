// The classes of one-shots (kick, snare, ...) as buttons with their numbers: a filter above the list.

import { $, inputById, make, setPressed } from "./dom.js";

/** The classes that are filtered for; the hidden field keeps them as the other filters keep their texts. */
const chosen = () => inputById("class").value.split(",").filter(Boolean);

/**
 * Shows one button for each class that the other filters admit.
 * @param {Record<string, number> | null | undefined} counts by class, "" for unknown ones; null for songs and loops, which have none
 */
export function showClasses(counts) {
  const wanted = new Set(chosen());
  const names = counts ? [...new Set([...Object.keys(counts).filter(Boolean), ...wanted])] : [];
  const focused = document.activeElement instanceof HTMLElement ? document.activeElement.dataset.class : undefined;
  const buttons = names.map((name) => {
    const button = make("button", { type: "button", textContent: `${name} ${counts?.[name] ?? 0}` });
    button.dataset.class = name;
    setPressed(button, wanted.has(name));
    return button;
  });
  $("classes").replaceChildren(...buttons);
  $("classes").hidden = !buttons.length;
  buttons.find((button) => button.dataset.class === focused)?.focus();
}

/** @param {() => void} onChange */
export function connectClasses(onChange) {
  $("classes").addEventListener("click", ({ target }) => {
    const name = target instanceof HTMLElement ? target.dataset.class : undefined;
    if (!name) return;
    const before = chosen();
    inputById("class").value = (before.includes(name) ? before.filter((one) => one !== name) : [...before, name]).join(",");
    onChange();
  });
}
