// Few words for what the page does often.

export const $ = (id) => document.getElementById(id);

// An element with properties, `class`, attributes (names with a dash, and role) and children.
export function make(tag, properties = {}, ...children) {
  const found = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "class") found.className = value;
    else if (name.includes("-") || name === "role") found.setAttribute(name, value);
    else found[name] = value;
  }
  found.append(...children);
  return found;
}

export const pressed = (button, on) => button.setAttribute("aria-pressed", String(Boolean(on)));

// Lets `action` wait until calls have rested for so many ms.
export function rested(action, pause) {
  let timer = 0;
  const wait = (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => action(...values), pause);
  };
  wait.cancel = () => clearTimeout(timer);
  return wait;
}

// A file for the user to keep.
export function save(name, address) {
  const link = make("a", { href: address, download: name });
  document.body.append(link);
  link.click();
  link.remove();
}
