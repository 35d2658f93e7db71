// Ways to choose a reference: drop a file, choose a file, record, search the library by name, describe a sound in text.

import * as api from "./api.js";
import { $, debounce, inputById, setPressed } from "./dom.js";
import { contentsOf } from "./dropped_files.js";
import { clock } from "./format.js";
import { DRAGGED_ITEM } from "./hits/list.js";
import { Recorder } from "./recorder.js";
import { run } from "./status.js";

const PAUSE = 250; // ms without typing before names are suggested

/**
 * @typedef {object} InputHandlers
 * @property {(contents: { entries: FileSystemEntry[], files: File[] }) => Promise<void>} takeDrop
 * @property {(file: File) => Promise<void>} takeFile
 * @property {(id: string) => Promise<void>} takeItem
 * @property {(text: string) => Promise<void>} takeText
 * @property {() => Promise<void>} onRecord called before recording begins
 */

/**
 * Listens to all of them. A file that was chosen before this script ran is taken at once.
 * @param {InputHandlers} handlers
 */
export function listen({ takeDrop, takeFile, takeItem, takeText, onRecord }) {
  listenToDrops(takeDrop, takeItem);
  listenToFileInput(takeDrop);
  listenToRecorder(takeFile, onRecord);
  listenToLibrarySearch(takeItem);
  $("by-text").addEventListener("submit", (event) => {
    event.preventDefault();
    const text = inputById("text").value.trim();
    if (text) run(() => takeText(text));
  });
}

/**
 * Takes dropped files, anywhere on the page, and rows of the list that are dropped on the reference.
 * @param {InputHandlers["takeDrop"]} takeDrop
 * @param {InputHandlers["takeItem"]} takeItem
 */
function listenToDrops(takeDrop, takeItem) {
  /** @param {DragEvent} event */
  const isRow = ({ dataTransfer, target }) =>
    Boolean(dataTransfer?.types.includes(DRAGGED_ITEM) && target instanceof Element && target.closest("#reference"));
  /** @param {DragEvent} event */
  const onDrag = (event) => {
    if (!event.dataTransfer?.types.includes("Files") && !isRow(event)) return;
    event.preventDefault();
    document.body.classList.add("dragging");
  };
  document.addEventListener("dragover", onDrag);
  document.addEventListener("dragenter", onDrag);
  document.addEventListener("dragleave", (event) => event.relatedTarget || document.body.classList.remove("dragging"));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    document.body.classList.remove("dragging");
    const { dataTransfer } = event;
    if (dataTransfer && isRow(event)) return void run(() => takeItem(dataTransfer.getData(DRAGGED_ITEM)));
    if (!dataTransfer?.files.length) return undefined;
    const contents = contentsOf(dataTransfer);
    return void run(() => takeDrop(contents));
  });
  // What was dropped before this script ran.
  const early = /** @type {{ earlyDrops?: File[][] }} */ (/** @type {unknown} */ (window));
  for (const files of early.earlyDrops ?? []) if (files.length) run(() => takeDrop({ entries: [], files }));
  delete early.earlyDrops;
}

/** @param {InputHandlers["takeDrop"]} takeDrop */
function listenToFileInput(takeDrop) {
  const input = inputById("file");
  const takeChosen = () => {
    const files = [...(input.files ?? [])];
    input.value = "";
    if (files.length) run(() => takeDrop({ entries: [], files }));
  };
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
  let suggestedFor = ""; // the text whose matches they are
  const chosen = () => suggested.find((item) => item.name === field.value);
  const look = async () => {
    const text = field.value;
    const { items } = await api.items({ text });
    if (text !== field.value) return; // others are asked for already
    [suggested, suggestedFor] = [items, text];
    $("library-items").replaceChildren(...suggested.map((item) => new Option(item.name, item.name)));
  };
  const suggest = debounce(() => run(look), PAUSE);
  field.addEventListener("input", () => {
    const item = chosen();
    if (item) run(() => takeItem(item.id));
    else suggest();
  });
  $("by-name").addEventListener("submit", (event) => {
    event.preventDefault();
    suggest.cancel();
    if (!field.value.trim()) return;
    run(async () => {
      if (suggestedFor !== field.value) await look(); // enter came before the suggestions
      const item = chosen() ?? suggested[0];
      if (!item) throw new Error(`no sound of the library has \u201c${field.value}\u201d in its name`);
      await takeItem(item.id);
    });
  });
}
