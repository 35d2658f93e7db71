// Opens questions: uploads a file, or takes an item of the library or a text. The present question stays until the next is whole.

import * as api from "./api.js";
import { $ } from "./dom.js";
import { audioFiles } from "./dropped_files.js";
import { keep, kept } from "./kept_files.js";
import { Question } from "./question.js";
import { showDropped } from "./reference.js";
import { isForgotten } from "./search.js";
import { messageOf, run, showStatus } from "./status.js";

/**
 * @param {Upload | Item} described
 * @returns {ReferenceSound}
 */
const soundOf = ({ name, duration, kind, loudness, tempo, tempo_source, key, key_source }) => ({
  name,
  duration,
  kind,
  loudness,
  tempo,
  tempo_source,
  key,
  key_source,
});

/**
 * A question about a sound, with what a link states of it.
 * @param {ReferenceSound} sound
 * @param {[number, number][]} peaks
 * @param {LinkState | null} state
 */
function questionOf(sound, peaks, state) {
  const question = new Question({ ...sound, naturalKind: sound.kind, kind: state?.referenceKind ?? sound.kind }, peaks);
  const region = state?.region;
  if (region && region[1] <= sound.duration + 0.1) question.region = [region[0], Math.min(region[1], sound.duration)];
  if (state?.group !== undefined && !question.isClip) question.group = state?.group ?? null;
  return question;
}

/**
 * Shows beside the drop field what is under way, and says it once in the line above the list.
 * @param {string} doing
 * @param {string} [share]
 */
function showStage(doing, share = "") {
  showProgress(`${doing} …${share}`);
  if ($("status").textContent !== `${doing} …`) showStatus(`${doing} …`);
}

/** @param {string} message what is under way; "": nothing */
function showProgress(message) {
  $("drop-hint").textContent = message || "or click to choose a file";
  $("drop").classList.toggle("busy", Boolean(message));
}

/**
 * Runs what opens a question; where it fails, the message says whose hits are in the list.
 * @template T
 * @param {import("./question.js").Questions} questions
 * @param {() => Promise<T>} action
 */
async function namingWhatStays(questions, action) {
  try {
    return await action();
  } catch (error) {
    const { sound } = questions.current;
    if (!sound || api.isAbort(error) || isForgotten(error)) throw error;
    throw new Error(`${messageOf(error)}; the reference is still ${sound.name}`, { cause: error });
  }
}

export class Opening {
  /**
   * What a link asks for of a file that has yet to be dropped.
   * @type {LinkState | null}
   */
  awaited = null;

  /**
   * library(): the present one; onKind(kind): a sound of this kind was chosen, which is searched for among its like; onRenewed: the
   * file of the present question was sent again; onAwaited: a link was made with a file that has to be dropped.
   * @param {object} options
   * @param {import("./question.js").Questions} options.questions
   * @param {() => Library} options.library
   * @param {(kind: Kind) => void} options.onKind
   * @param {() => void} options.onRenewed
   * @param {() => unknown} options.onAwaited
   */
  constructor({ questions, library, onKind, onRenewed, onAwaited }) {
    this.questions = questions;
    this.library = library;
    this.onKind = onKind;
    this.onRenewed = onRenewed;
    this.onAwaited = onAwaited;
  }

  /**
   * @param {string} doing
   * @param {(signal: AbortSignal) => Promise<Question>} load
   */
  async open(doing, load) {
    showStage(doing);
    try {
      await namingWhatStays(this.questions, () => this.questions.open(load));
    } finally {
      if (!this.questions.opening) showProgress("");
    }
  }

  /**
   * The kind that is searched for follows the sound, unless a link states one.
   * @param {Question} question
   * @param {LinkState | null} state
   */
  follow({ sound }, state) {
    if (!state && sound) this.onKind(sound.kind ?? "song");
  }

  /** @param {File} file */
  checkSize(file) {
    const { most_bytes } = this.library();
    if (file.size <= most_bytes) return;
    const [size, limit] = [file.size, most_bytes].map((bytes) => Math.ceil(bytes / 2 ** 20));
    throw new Error(
      `${file.name} has ${size} MB, but uploads may have ${limit} MB; drop an excerpt, or add it to the library: soundalike index FILE`,
    );
  }

  /**
   * Takes what was dropped or chosen: of several files the first, the others are listed.
   * @param {{ entries: FileSystemEntry[], files: File[] }} contents
   */
  async takeDrop(contents) {
    const files = await namingWhatStays(this.questions, () => audioFiles(contents, this.library().extensions));
    let taken = -1; // none of them yet
    /** @param {number} n */
    const take = async (n) => {
      const show = (/** @type {number} */ current) => showDropped(files, current, (index) => run(() => take(index)));
      show(n);
      try {
        await this.takeFile(files[n]);
        taken = n;
      } catch (error) {
        if (!api.isAbort(error)) show(taken); // the reference is still the one before
        throw error;
      }
    };
    await take(0);
  }

  /**
   * @param {File} file
   * @param {LinkState | null} [state]
   */
  async takeFile(file, state = this.awaited) {
    return this.open(`uploading ${file.name}`, async (signal) => {
      this.checkSize(file);
      const described = await api.upload(file, signal, (share) =>
        share < 1 ? showStage(`uploading ${file.name}`, ` ${Math.floor(100 * share)} %`) : showStage(`reading ${file.name}`),
      );
      this.awaited = null;
      keep(described.id, file);
      const sound = { ...soundOf(described), upload: described.id, url: api.uploadAudio(described.id), file };
      const question = questionOf(sound, described.peaks, state);
      this.follow(question, state);
      return question;
    });
  }

  /**
   * An upload that a link or a reload names: the server still has it, or the browser has kept its file.
   * @param {string} id
   * @param {string} name
   * @param {LinkState} state
   */
  async takeUpload(id, name, state) {
    try {
      return await this.open(`loading ${name}`, async (signal) => {
        const described = await api.describeUpload(id, signal);
        const sound = { ...soundOf(described), upload: id, url: api.uploadAudio(id) };
        return questionOf(sound, described.peaks, state);
      });
    } catch (error) {
      if (!isForgotten(error)) throw error;
    }
    const file = await kept(id);
    if (file) return this.takeFile(file, state);
    this.awaited = state;
    await this.onAwaited();
    const { sound } = this.questions.current;
    const stays = sound ? `; the reference is still ${sound.name}` : "";
    return showStatus(`this link was made with ${name}, which is not in the library: drop it here to restore the search${stays}`);
  }

  /**
   * @param {string} id
   * @param {LinkState | null} [state]
   */
  takeItem(id, state = null) {
    return this.open("loading", async (signal) => {
      const [item, { duration, peaks }] = await Promise.all([api.item(id, signal), api.peaks(id, signal)]);
      const sound = { ...soundOf(item), item: id, duration, url: api.itemAudio(id) };
      const question = questionOf(sound, peaks, state);
      this.follow(question, state);
      return question;
    });
  }

  /** @param {string} text */
  takeText(text) {
    return this.open("searching", async () => new Question({ text, name: `“${text}”`, duration: 0 }));
  }

  /**
   * Sends the file of a question again that the server no longer has. Whether it could be sent.
   * @param {Question} question
   * @param {AbortSignal} signal
   */
  async renew(question, signal) {
    const { sound } = question;
    if (!sound?.upload) return false;
    const file = sound.file ?? (await kept(sound.upload));
    if (!file) return false;
    const { id } = await api.upload(file, signal);
    keep(id, file);
    signal.throwIfAborted();
    Object.assign(sound, { upload: id, url: api.uploadAudio(id), file });
    this.onRenewed();
    return true;
  }
}
