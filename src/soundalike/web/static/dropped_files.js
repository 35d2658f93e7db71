// The files of a drop: those of folders too.

const MAX_FILES = 500;

/**
 * @param {FileSystemDirectoryEntry} folder
 * @returns {Promise<FileSystemEntry[]>}
 */
async function entriesOf(folder) {
  const reader = folder.createReader();
  /** @type {FileSystemEntry[]} */
  const all = [];
  for (;;) {
    /** @type {FileSystemEntry[]} */
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject)); // at most 100 at once
    if (!some.length || all.length >= MAX_FILES) return all;
    all.push(...some);
  }
}

/**
 * @param {FileSystemEntry} entry
 * @returns {Promise<File[]>}
 */
async function filesOf(entry) {
  if (entry.isFile) {
    return [await new Promise((resolve, reject) => /** @type {FileSystemFileEntry} */ (entry).file(resolve, reject))];
  }
  const entries = await entriesOf(/** @type {FileSystemDirectoryEntry} */ (entry));
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  const files = [];
  for (const one of entries) {
    files.push(...(await filesOf(one)));
    if (files.length >= MAX_FILES) break;
  }
  return files;
}

/**
 * What a drop consists of. Must be called while the event is handled: its entries are gone afterwards.
 * @param {DataTransfer} dataTransfer
 * @returns {{ entries: FileSystemEntry[], files: File[] }}
 */
export function contentsOf(dataTransfer) {
  const entries = [...(dataTransfer.items ?? [])].map((item) => item.webkitGetAsEntry?.()).filter((one) => one !== null);
  return { entries: /** @type {FileSystemEntry[]} */ (entries.filter(Boolean)), files: [...dataTransfer.files] };
}

/**
 * The audio files of a drop, by the suffixes that the server reads; a single file is returned whatever its name.
 * @param {{ entries: FileSystemEntry[], files: File[] }} contents
 * @param {string[]} suffixes with the dot, in lower case
 */
export async function audioFiles({ entries, files }, suffixes) {
  const folders = entries.some((entry) => entry.isDirectory);
  if (!folders && files.length < 2) return files;
  const all = folders ? (await Promise.all(entries.map(filesOf))).flat() : files;
  const audio = all.filter(({ name }) => suffixes.some((suffix) => name.toLowerCase().endsWith(suffix)));
  if (!audio.length) throw new Error("there is no audio file among what was dropped (.wav, .aiff, .flac, .mp3, .m4a, .ogg, .opus and others)");
  return audio;
}
