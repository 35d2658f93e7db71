// Colours for canvases, which cannot use the variables of style sheets.

/** @type {Map<string, string>} */
const known = new Map();
/** @type {Set<() => void>} */
const listeners = new Set();

/**
 * The present colour of a variable of the style sheet.
 * @param {string} name
 */
export function colour(name) {
  let value = known.get(name);
  if (value === undefined) {
    const probe = document.createElement("i");
    probe.style.color = `var(--${name})`;
    probe.style.setProperty("forced-color-adjust", "none"); // else high contrast makes all of them alike
    document.body.append(probe);
    value = getComputedStyle(probe).color;
    probe.remove();
    known.set(name, value);
  }
  return value;
}

/**
 * Calls `action` when the system changes between light, dark and high contrast.
 * @param {() => void} action
 */
export const onSchemeChange = (action) => listeners.add(action);

for (const scheme of ["(prefers-color-scheme: dark)", "(forced-colors: active)"]) {
  matchMedia(scheme).addEventListener("change", () => {
    known.clear();
    for (const action of listeners) action();
  });
}
