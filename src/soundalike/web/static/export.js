// The list of hits as text for other programs. Pure functions without access to the page.

const MAX_HITS = 2000;

/**
 * @param {Hit[]} hits
 * @returns {Record<string, unknown>[]}
 */
const rowsOf = (hits) =>
  hits.slice(0, MAX_HITS).map(({ item, score, start, end, contributions, copy_paths: copies, versions }, index) => ({
    rank: index + 1,
    score,
    path: item.path,
    start,
    end,
    kind: item.kind,
    duration: item.duration,
    tempo: item.tempo,
    key: item.key,
    favourite: Boolean(item.favourite),
    copies: copies ?? [],
    versions: (versions ?? []).map(({ path }) => path),
    ...contributions,
  }));

/**
 * A cell of a CSV file. A quote before a cell that starts like a formula keeps spreadsheets from evaluating it.
 * @param {unknown} value
 */
function cell(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return String(value);
  const text = Array.isArray(value) ? value.join("; ") : String(value);
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** @param {Hit[]} hits */
function csv(hits) {
  const rows = rowsOf(hits);
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const lines = [columns, ...rows.map((row) => columns.map((name) => row[name]))];
  return `${lines.map((line) => line.map(cell).join(",")).join("\r\n")}\r\n`;
}

/** @param {string} text */
const oneLine = (text) => text.replace(/[\r\n]+/g, " ");

/**
 * Where an item is; of a track of a file, which seconds of it, as VLC reads them.
 * @param {Hit["item"]} item
 */
function place({ path, file, offset = 0, duration }) {
  if (!file) return path;
  const end = offset + duration;
  return `#EXTVLCOPT:start-time=${offset.toFixed(3)}\n#EXTVLCOPT:stop-time=${end.toFixed(3)}\n${file}`;
}

/**
 * `artist - title`, as players show it; the name of the file where it has no title.
 * @param {Hit["item"]} item
 */
const titleOf = ({ artist, title, name }) => (title ? `${artist ? `${artist} - ` : ""}${title}` : name);

/**
 * The length of a sound in whole seconds, as playlists state it: 1 for what is shorter, since 0 is taken for no sound, -1 if it is
 * unknown.
 * @param {number | null | undefined} seconds
 */
const playlistSeconds = (seconds) => (seconds && seconds > 0 ? Math.max(1, Math.round(seconds)) : -1);

/**
 * A path with a line break cannot be a line of a playlist: such hits are left out, as another path would name no file.
 * @param {Hit[]} hits
 */
function playlist(hits) {
  const entries = hits
    .slice(0, MAX_HITS)
    .filter(({ item }) => !/\p{Cc}/u.test(item.path))
    .map(({ item }) => `#EXTINF:${playlistSeconds(item.duration)},${oneLine(titleOf(item))}\n${place(item)}\n`);
  return `#EXTM3U\n${entries.join("")}`;
}

export const FORMATS = {
  m3u8: { type: "application/x-mpegurl", write: playlist },
  csv: { type: "text/csv", write: csv },
  json: { type: "application/json", write: (/** @type {Hit[]} */ hits) => `${JSON.stringify(rowsOf(hits), null, 2)}\n` },
};
