// The list as text for other programs. Pure functions; nothing here touches the page.

export const MOST = 2000;

const rowsOf = (hits) =>
  hits.slice(0, MOST).map(({ item, score, start, end, contributions, copy_paths: copies }, index) => ({
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
    ...contributions,
  }));

// A spreadsheet takes a cell that starts like a formula for one; a quote before it keeps it text.
function cell(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return String(value);
  const text = Array.isArray(value) ? value.join("; ") : String(value);
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

const line = (text) => String(text).replace(/[\r\n]+/g, " ");

export const FORMS = {
  m3u8: {
    type: "application/x-mpegurl",
    write: (hits) =>
      `#EXTM3U\n${hits
        .slice(0, MOST)
        .map(({ item }) => `#EXTINF:${Math.round(item.duration)},${line(item.title ?? item.name)}\n${line(item.path)}\n`)
        .join("")}`,
  },
  csv: {
    type: "text/csv",
    write: (hits) => {
      const rows = rowsOf(hits);
      const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
      return `${[columns, ...rows.map((row) => columns.map((name) => row[name]))].map((row) => row.map(cell).join(",")).join("\r\n")}\r\n`;
    },
  },
  json: { type: "application/json", write: (hits) => `${JSON.stringify(rowsOf(hits), null, 2)}\n` },
};
