// Keeps the keyboard where it is: if the focused control is replaced, hidden or disabled, its successor has the focus, or the list.

/**
 * What a control is known by among those of its box.
 * @param {HTMLElement} element
 */
export const nameOf = ({ dataset, textContent }) => dataset.group ?? dataset.class ?? textContent;

/** @param {HTMLElement} element */
export const isUsable = (element) => element.isConnected && !element.matches(":disabled") && element.checkVisibility();

/** @param {HTMLElement} list where the keyboard is without a successor */
export function keepFocus(list) {
  /**
   * The control that has the focus, its box and its name.
   * @type {{ element: HTMLElement, box: Element | null, name: string } | null}
   */
  let held = null;
  document.addEventListener("focusin", ({ target }) => {
    const element = /** @type {HTMLElement} */ (target);
    held = { element, box: element.parentElement?.closest("[id]") ?? null, name: nameOf(element) };
  });
  document.addEventListener("focusout", ({ target }) => {
    // A control that is being removed loses the focus while it is still there; one that stays was left on purpose.
    queueMicrotask(() => {
      if (held?.element === target && isUsable(held.element)) held = null;
    });
  });
  const observer = new MutationObserver((changes) => {
    if (!held) return;
    const { element } = held;
    // Rows come and go in every frame: whether it is visible is only asked where something was hidden or disabled.
    if (element.isConnected && (isUsable(element) || changes.every(({ type }) => type === "childList"))) return;
    const { box, name } = held;
    held = null;
    if (document.activeElement !== document.body && isUsable(/** @type {HTMLElement} */ (document.activeElement))) return;
    const controls = /** @type {HTMLElement[]} */ ([...(box?.querySelectorAll("button, a") ?? [])]);
    const successor = controls.find((one) => nameOf(one) === name && isUsable(one)) ?? list;
    successor.focus({ preventScroll: true });
  });
  observer.observe(document.body, { subtree: true, childList: true, attributeFilter: ["hidden", "disabled"] });
}
