// Loaded before everything else and not as a module: keeps what is dropped while the page still loads, which the browser would
// otherwise open in place of the page. `reference_input.js` takes it over.

/** @type {any} */ (window).earlyDrops = /** @type {DragEvent[]} */ ([]);
for (const name of ["dragover", "dragenter", "drop"]) {
  document.addEventListener(name, (/** @type {Event} */ event) => {
    const { dataTransfer } = /** @type {DragEvent} */ (event);
    if (!dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    if (name === "drop" && /** @type {any} */ (window).earlyDrops) {
      /** @type {any} */ (window).earlyDrops.push([...dataTransfer.files]);
    }
  });
}
