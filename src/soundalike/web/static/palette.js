// Colours for canvases, which know no variables of style sheets; and the parts' colours.

export const PARTS = ["bass", "drums", "guitar", "piano", "vocals", "residuals", "mix"];

const kept = new Map();
const changed = new Set();

// The colour that a variable of the style sheet has now.
export function colour(name) {
  if (!kept.has(name)) {
    const probe = document.createElement("i");
    probe.style.color = `var(--${name})`;
    document.body.append(probe);
    kept.set(name, getComputedStyle(probe).color);
    probe.remove();
  }
  return kept.get(name);
}

// Calls `action` when light turns to dark, or back.
export const onScheme = (action) => changed.add(action);

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  kept.clear();
  for (const action of changed) action();
});
