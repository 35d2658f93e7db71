// Ways to choose a reference: drop a file, choose a file, record, search the library by name, describe a sound in text.

import * as api from "./api.js";
import { $, debounce, inputById, setPressed } from "./dom.js";
import { clock } from "./format.js";
import { Recorder } from "./recorder.js";
import { run } from "./status.js";

const PAUSE = 250; // ms without typing before names are suggested

/**
 * @typedef {object} InputHandlers
 * @property {(file: File) => Promise<void>} takeFile
 * @property {(id: string) => Promise<void>} takeItem
 * @property {(text: string) => Promise<void>} takeText
 * @property {() => Promise<void>} onRecord called before recording begins
 */

/**
 * Listens to all of them. A file that was chosen before this script ran is taken at once.
 * @param {InputHandlers} handlers
 */
export function listen({ takeFile, takeItem, takeText, onRecord }) {
  listenToDrops(takeFile);
  listenToFileInput(takeFile);
  listenToRecorder(takeFile, onRecord);
  listenToLibrarySearch(takeItem);
  $("by-text").addEventListener("submit", (event) => {
    event.preventDefault();
    const text = inputById("text").value.trim();
    if (text) run(() => takeText(text));
  });
}

/** @param {(file: File) => Promise<void>} takeFile */
function listenToDrops(takeFile) {
  /** @param {DragEvent} event */
  const onDrag = (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    document.body.classList.add("dragging");
  };
  document.addEventListener("dragover", onDrag);
  document.addEventListener("dragenter", onDrag);
  document.addEventListener("dragleave", (event) => event.relatedTarget || document.body.classList.remove("dragging"));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    document.body.classList.remove("dragging");
    const file = event.dataTransfer?.files[0];
    if (file) run(() => takeFile(file));
  });
}

/** @param {(file: File) => Promise<void>} takeFile */
function listenToFileInput(takeFile) {
  const input = inputById("file");
  const takeChosen = () => {
    const file = input.files?.[0];
    input.value = "";
    if (file) run(() => takeFile(file));
  };
  $("drop").addEventListener("click", () => input.click());
  input.addEventListener("change", takeChosen);
  takeChosen(); // the page can be used before its scripts have loaded
}

/**
 * @param {(file: File) => Promise<void>} takeFile
 * @param {() => Promise<void>} onRecord
 */
function listenToRecorder(takeFile, onRecord) {
  const button = $("record");
  const recorder = new Recorder(
    (seconds, level) => {
      button.textContent = `■ stop  ${clock(seconds)}`;
      button.style.setProperty("--level", `${Math.round(100 * Math.min(1, level))}%`);
    },
    () => run(toggle),
  );
  async function toggle() {
    if (!recorder.recording) {
      await onRecord();
      await recorder.start();
      setPressed(button, true);
      button.textContent = "■ stop";
      return;
    }
    setPressed(button, false);
    button.textContent = "● record";
    button.style.removeProperty("--level");
    await takeFile(await recorder.stop());
  }
  button.addEventListener("click", () => run(toggle));
}

/** @param {(id: string) => Promise<void>} takeItem */
function listenToLibrarySearch(takeItem) {
  const field = inputById("library-search");
  /** @type {Item[]} */
  let suggested = [];
  const chosen = () => suggested.find((item) => item.name === field.value);
  const suggest = debounce(
    () =>
      run(async () => {
        suggested = (await api.items({ text: field.value })).items;
        $("library-items").replaceChildren(...suggested.map((item) => new Option(item.name, item.name)));
      }),
    PAUSE,
  );
  field.addEventListener("input", () => {
    const item = chosen();
    if (item) run(() => takeItem(item.id));
    else suggest();
  });
  $("by-name").addEventListener("submit", (event) => {
    event.preventDefault();
    const item = chosen() ?? suggested[0];
    if (item) run(() => takeItem(item.id));
  });
}
