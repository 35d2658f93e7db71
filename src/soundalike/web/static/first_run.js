// The card of an empty library: choose a folder, or the demo, and watch it being indexed. It also adds further folders.

import * as api from "./api.js";
import { $, buttonById, debounce, find, inputById, make } from "./dom.js";
import { fileName, plural } from "./format.js";
import { messageOf } from "./status.js";

const PAUSE = 150; // ms without typing before folders are suggested
const POLL = 500; // ms

/** @param {Pick<IndexingState, "folder" | "found" | "added" | "skipped">} state */
function outcome({ folder, found, added, skipped }) {
  if (!found) return `no audio files were found in ${folder} (known by their suffixes: .wav, .flac, .mp3, .m4a, ...)`;
  if (!added && !skipped) return `nothing new: ${found === 1 ? "its file is" : `its ${found} files are`} in the library already`;
  const unused = skipped ? `; ${plural(skipped, "file")} could not be used (soundalike status --skipped gives the reasons)` : "";
  return `${plural(added, "file")} indexed${unused}`;
}

export class FirstRun {
  /** @type {Promise<void> | null} what follows the progress now */
  following = null;
  ran = false; // while the progress was followed
  empty = true; // as the card was shown last

  /**
   * onIndexed: files were added, or are being added. note: what to say where not all went well.
   * @param {(note: string) => void} onIndexed
   */
  constructor(onIndexed) {
    this.onIndexed = onIndexed;
    const field = inputById("folder");
    const suggest = debounce(async () => {
      try {
        $("folders").replaceChildren(...(await api.folders(field.value)).map((path) => make("option", { value: path })));
      } catch {
        // suggestions are a help, no need
      }
    }, PAUSE);
    field.addEventListener("input", suggest);
    field.addEventListener("focus", suggest);
    $("first-run").addEventListener("submit", (event) => {
      event.preventDefault();
      if (field.value.trim()) this.start(field.value.trim());
    });
    $("demo").addEventListener("click", () => this.start(null));
    $("add-folder").addEventListener("click", () => {
      this.show({ empty: false, shown: $("first-run").hidden });
      field.focus();
    });
    const close = () => {
      this.show({ empty: false, shown: false });
      $("add-folder").focus();
    };
    $("first-run-close").addEventListener("click", close);
    $("first-run").addEventListener("keydown", ({ key }) => key === "Escape" && !buttonById("first-run-close").disabled && !$("first-run-close").hidden && close());
  }

  /** @param {{ empty: boolean, shown: boolean }} options */
  show({ empty, shown }) {
    this.empty = empty;
    $("first-run").hidden = !shown;
    document.body.classList.toggle("only-first-run", empty && shown); // there is nothing to search yet
    $("first-run-heading").textContent = empty ? "Your library is empty" : "Add a folder";
    const { parentElement } = $("demo");
    if (parentElement) parentElement.hidden = !empty;
    $("first-run-close").hidden = empty;
  }

  /** @param {string | null} folder */
  async start(folder) {
    try {
      this.report(await api.startIndexing(folder));
      await this.follow({ started: true });
    } catch (error) {
      $("indexing").textContent = messageOf(error);
      $("indexing").classList.add("problem");
    }
  }

  /**
   * Shows progress until nothing is being indexed any more. started: something was, which may be done by now.
   * @param {{ started?: boolean }} [options]
   */
  follow({ started = false } = {}) {
    this.ran ||= started;
    this.following ??= this.poll().finally(() => (this.following = null));
    return this.following;
  }

  async poll() {
    for (;;) {
      const { ran } = this;
      const state = await api.indexing();
      if (state.state === "running") {
        this.ran = true;
        this.report(state);
        await new Promise((resolve) => setTimeout(resolve, POLL));
      } else if (ran === this.ran) {
        if (ran || state.state === "failed") this.report(state);
        this.ran = false;
        if (ran && state.state === "done") this.onIndexed(state.added && !state.skipped ? "" : outcome(state));
        return;
      } // else one was started after this state was asked for
    }
  }

  /** @param {IndexingState} state */
  report({ state, folder, done, total, current, found, added, skipped, error }) {
    const running = state === "running";
    $("indexing-progress").hidden = !running;
    find("#indexing-progress", document, HTMLProgressElement).value = total ? done / total : 0;
    $("indexing").classList.toggle("problem", state === "failed");
    for (const button of document.querySelectorAll("#first-run button")) /** @type {HTMLButtonElement} */ (button).disabled = running;
    if (running) {
      $("first-run").hidden = false;
      const file = current ? ` · ${fileName({ name: current })}` : "";
      $("indexing").textContent = total ? `${done} of ${plural(total, "file")}${file}` : `looking through ${folder}${file}`;
    } else if (state === "done") {
      $("indexing").textContent = outcome({ folder, found, added, skipped });
    }
    else if (state === "failed") $("indexing").textContent = error ?? "indexing failed";
  }
}
