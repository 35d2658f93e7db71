// Seconds, facts and contributions as text, and text fields as numbers. Pure functions without access to the page.

/** @type {Record<Kind, string>} */
export const KIND_PLURALS = { song: "songs", loop: "loops", "one-shot": "one-shots" };

/** @param {number} seconds */
export const clock = (seconds) => `${Math.floor(seconds / 60)}:${(seconds % 60).toFixed(1).padStart(4, "0")}`;

/**
 * To the millisecond.
 * @param {number} seconds
 */
export function clockMs(seconds) {
  const milliseconds = Math.round(seconds * 1000);
  return `${Math.floor(milliseconds / 60_000)}:${((milliseconds % 60_000) / 1000).toFixed(3).padStart(6, "0")}`;
}

/**
 * A duration: "0.52 s", "12.1 s" or "3:05".
 * @param {number} seconds
 */
export const duration = (seconds) =>
  seconds < 60 ? `${seconds.toFixed(seconds < 10 ? 2 : 1)} s` : clock(seconds).slice(0, -2);

/**
 * "1:02.5", "62.5" or "1:00:00" in seconds, also with a decimal comma; NaN for anything else, such as "1:75".
 * @param {string} text
 */
export function parseSeconds(text) {
  const places = text.trim().replace(/,(?=\d+$)/, ".").split(":");
  if (places.length > 3 || !places.every((place) => /^\d+(\.\d+)?$/.test(place))) return NaN;
  if (places.slice(1).some((place) => Number(place) >= 60)) return NaN;
  return places.reduce((sum, place) => 60 * sum + Number(place), 0);
}

/**
 * "90-120", "90-", "-120" or "120" (give or take the share `tolerance`) as [low, high], null where open; null for no text.
 * Decimal commas, and "bpm" or "s" behind the numbers, are understood too.
 * @param {string} text
 * @param {string} what the name of the quantity, for the error message
 * @param {number} [tolerance]
 * @param {string} [examples] for the error message
 * @returns {[number | null, number | null] | null}
 */
export function parseRange(text, what, tolerance = 0, examples = "90-120, 90- or 120") {
  const written = text.trim();
  if (!written) return null;
  const plain = written.replace(/(\d),(?=\d)/g, "$1.").replace(/\s*(bpm|s)$/i, "");
  const match = /^(\d+(?:\.\d+)?)?\s*(-|–|to)?\s*(\d+(?:\.\d+)?)?$/.exec(plain);
  const [, low, dash, high] = match ?? [];
  if (!match || (!low && !high) || (high && !dash)) throw new Error(`${written} is not a range of ${what}; write ${examples}`);
  if (!dash) return [Number(low) * (1 - tolerance), Number(low) * (1 + tolerance)];
  if (low && high && Number(low) > Number(high)) throw new Error(`${written} is not a range of ${what}: ${low} is more than ${high}`);
  return [low ? Number(low) : null, high ? Number(high) : null];
}

/**
 * @param {number} count
 * @param {string} one
 * @param {string} [many]
 */
export const plural = (count, one, many = `${one}s`) => `${count.toLocaleString("en")} ${count === 1 ? one : many}`;

/** @param {string | null | undefined} source */
const approximately = (source) => (source === "estimate" ? "~" : "");

/** @param {Item} item */
export const tempo = (item) => (item.tempo ? `${approximately(item.tempo_source)}${Math.round(item.tempo)}` : "");

/**
 * A key in short: "Am" for A minor, "C" for C major.
 * @param {string} name
 */
export const keyName = (name) => name.replace(/ minor$/, "m").replace(/ major$/, "");

/** @param {Item} item */
export const key = (item) => (item.key ? approximately(item.key_source) + keyName(item.key) : "");

/** @param {{ name: string }} item */
export const fileName = (item) => item.name.split("/").at(-1) ?? item.name;

/** @param {Item} item */
export const title = (item) => (item.title ? `${item.artist ? `${item.artist} – ` : ""}${item.title}` : fileName(item));

/** @param {Version} version */
export const versionTitle = ({ title: name, artist, path }) => (name ? `${artist ? `${artist} – ` : ""}${name}` : path.split(/[/\\]/).at(-1));

/** @param {Version} version */
export const versionText = (version) => `another version, ${duration(version.duration)}: ${version.path}`;

/**
 * @param {number} value
 * @param {number} [digits]
 */
export const signed = (value, digits = 2) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(digits)}`;

/**
 * Contributions, the greatest first: "drums +0.31, bass −0.05".
 * @param {ByPart} contributions
 */
export const contributionText = (contributions) =>
  Object.entries(contributions)
    .sort(([, a], [, b]) => Math.abs(b) - Math.abs(a))
    .map(([part, value]) => `${part} ${signed(value)}`)
    .join(", ");

/**
 * The seconds of a hit that matched.
 * @param {Hit} hit
 */
export const matchedRange = ({ item, start, end }) => (item.kind === "song" ? `${clock(start)}–${clock(end)}` : "whole");

/** @param {number} loudness LUFS */
export const lufs = (loudness) => `${loudness.toFixed(1).replace("-", "−")} LUFS`;

/**
 * A hit as a screen reader reads it.
 * @param {Hit} hit
 * @param {string | null} answer the listener's answer about it
 * @param {string | null} [grade] what its score means
 */
export function spokenHit(hit, answer, grade = null) {
  const { item, score, contributions, copies, versions = [] } = hit;
  return [
    title(item),
    item.kind,
    score !== null && `score ${score.toFixed(2)}`,
    grade,
    score !== null && contributionText(contributions),
    item.kind === "song" && score !== null ? `matched ${matchedRange(hit)}` : duration(item.duration),
    item.tempo && `${tempo(item).replace("~", "about ")} bpm`,
    item.key && key(item).replace("~", "about ").replace(/m$/, " minor"),
    copies ? plural(copies, "copy", "copies") : null,
    versions.length ? plural(versions.length, "other version") : null,
    item.favourite && "favourite",
    answer,
  ]
    .filter(Boolean)
    .join(", ");
}
