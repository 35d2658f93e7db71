// Helpers for elements of the page.

/**
 * The element with this id and of this class; throws if the page has none.
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} type
 * @returns {T}
 */
function byId(id, type) {
  const element = document.getElementById(id);
  if (!(element instanceof type)) throw new Error(`the page has no ${type.name} with the id ${id}`);
  return element;
}

/** @param {string} id */
export const $ = (id) => byId(id, HTMLElement);
/** @param {string} id */
export const buttonById = (id) => byId(id, HTMLButtonElement);
/** @param {string} id */
export const inputById = (id) => byId(id, HTMLInputElement);
/** @param {string} id */
export const selectById = (id) => byId(id, HTMLSelectElement);
/** @param {string} id */
export const canvasById = (id) => byId(id, HTMLCanvasElement);
/** @param {string} id */
export const dialogById = (id) => byId(id, HTMLDialogElement);

/**
 * The first element that matches a selector, of this class; throws if there is none.
 * @template {HTMLElement} [T=HTMLElement]
 * @param {string} selector
 * @param {ParentNode} [root]
 * @param {new () => T} [type]
 * @returns {T}
 */
export function find(selector, root = document, type = /** @type {any} */ (HTMLElement)) {
  const element = root.querySelector(selector);
  if (!(element instanceof type)) throw new Error(`the page has no ${type.name} for ${selector}`);
  return element;
}

/**
 * A new element. properties: DOM properties; `class`, `role` and names with a dash are set as attributes.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, unknown>} [properties]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "class" || name === "role" || name.includes("-")) element.setAttribute(name, String(value));
    else Object.assign(element, { [name]: value });
  }
  element.append(...children);
  return element;
}

/**
 * The 2D context of a canvas.
 * @param {HTMLCanvasElement} canvas
 */
export function context2d(canvas) {
  const context = canvas.getContext("2d");
  if (!context) throw new Error("this browser cannot draw on a canvas");
  return context;
}

/**
 * @param {HTMLElement} button
 * @param {unknown} on
 */
export const setPressed = (button, on) => button.setAttribute("aria-pressed", String(Boolean(on)));

/**
 * Delays `action` until there were no calls for `pause` ms.
 * @template {unknown[]} A
 * @param {(...values: A) => unknown} action
 * @param {number} pause
 * @returns {((...values: A) => void) & { cancel: () => void }}
 */
export function debounce(action, pause) {
  let timer = 0;
  /** @param {A} values */
  const call = (...values) => {
    clearTimeout(timer);
    timer = window.setTimeout(() => action(...values), pause);
  };
  return Object.assign(call, { cancel: () => clearTimeout(timer) });
}

/**
 * Has the browser save what is at an address as a file.
 * @param {string} name
 * @param {string} address
 */
export function save(name, address) {
  const link = make("a", { href: address, download: name });
  document.body.append(link);
  link.click();
  link.remove();
}
