// Ways for a reference to come in: dropped, chosen, recorded, by a name of the library, in words.

import * as api from "./api.js";
import { $, pressed, rested } from "./dom.js";
import { Recorder } from "./record.js";
import { run } from "./status.js";
import { clock } from "./words.js";

const PAUSE = 250; // ms that typing rests before names are offered

// takeFile(file), takeItem(id), takeText(words); onRecord(): recording begins.
export function listen({ takeFile, takeItem, takeText, onRecord }) {
  drops(takeFile);
  recordings(takeFile, onRecord);
  byName(takeItem);
  $("by-text").addEventListener("submit", (event) => {
    event.preventDefault();
    if ($("text").value.trim()) takeText($("text").value.trim());
  });
}

function drops(takeFile) {
  for (const name of ["dragover", "dragenter"]) {
    document.addEventListener(name, (event) => {
      if (!event.dataTransfer.types.includes("Files")) return;
      event.preventDefault();
      document.body.classList.add("over");
    });
  }
  document.addEventListener("dragleave", (event) => event.relatedTarget || document.body.classList.remove("over"));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    document.body.classList.remove("over");
    const [file] = event.dataTransfer.files;
    if (file) run(() => takeFile(file));
  });
  $("drop").addEventListener("click", () => $("file").click());
  $("file").addEventListener("change", () => {
    const [file] = $("file").files;
    $("file").value = "";
    if (file) run(() => takeFile(file));
  });
}

function recordings(takeFile, onRecord) {
  const button = $("record");
  const recorder = new Recorder(
    (length, peak) => {
      button.textContent = `■ stop  ${clock(length)}`;
      button.style.setProperty("--level", `${Math.round(100 * Math.min(1, peak))}%`);
    },
    () => run(turn),
  );
  async function turn() {
    if (!recorder.recording) {
      onRecord();
      await recorder.start();
      pressed(button, true);
      button.textContent = "■ stop";
      return;
    }
    pressed(button, false);
    button.textContent = "● record";
    button.style.removeProperty("--level");
    await takeFile(await recorder.stop());
  }
  button.addEventListener("click", () => run(turn));
}

function byName(takeItem) {
  const field = $("library-search");
  let offered = [];
  const chosen = () => offered.find((item) => item.name === field.value);
  const offer = rested(
    () =>
      run(async () => {
        offered = (await api.items({ text: field.value })).items;
        $("library-items").replaceChildren(...offered.map((item) => new Option(item.name, item.name)));
      }),
    PAUSE,
  );
  field.addEventListener("input", () => {
    const item = chosen();
    if (item) run(() => takeItem(item.id));
    else offer();
  });
  $("by-name").addEventListener("submit", (event) => {
    event.preventDefault();
    const item = chosen() ?? offered[0];
    if (item) run(() => takeItem(item.id));
  });
}
