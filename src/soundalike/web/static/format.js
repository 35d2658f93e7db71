// Seconds, facts and contributions in words. Pure functions; nothing here touches the page.

export const clock = (seconds) => `${Math.floor(seconds / 60)}:${(seconds % 60).toFixed(1).padStart(4, "0")}`;

export const short = (seconds) => (seconds < 60 ? `${seconds.toFixed(seconds < 10 ? 2 : 1)} s` : clock(seconds).slice(0, -2));

// "1:02.5", "62.5" or "1:00:00" in seconds; NaN for anything else.
export function seconds(words) {
  const places = words.trim().split(":");
  if (places.length > 3 || !places.every((place) => /^\d+(\.\d+)?$/.test(place))) return NaN;
  return places.reduce((sum, place) => 60 * sum + Number(place), 0);
}

// "90-120", "120" (within `around` of it), "90-" and "-120" as [low, high], null where open; null for nothing.
export function range(words, what, around = 0) {
  const said = words.trim();
  if (!said) return null;
  const found = /^(\d+(?:\.\d+)?)?\s*(-|–|to)?\s*(\d+(?:\.\d+)?)?$/.exec(said);
  const [, low, dash, high] = found ?? [];
  if (!found || (!low && !high) || (high && !dash)) throw new Error(`${said} is not a range of ${what}; write 90-120, 90- or 120`);
  if (!dash) return [Number(low) * (1 - around), Number(low) * (1 + around)];
  if (low && high && Number(low) > Number(high)) throw new Error(`${said} is not a range of ${what}: ${low} is more than ${high}`);
  return [low ? Number(low) : null, high ? Number(high) : null];
}

export const plural = (count, one, many = `${one}s`) => `${count.toLocaleString("en")} ${count === 1 ? one : many}`;

const estimated = (source) => (source === "estimate" ? "~" : "");

export const tempo = (item) => (item.tempo ? `${estimated(item.tempo_source)}${Math.round(item.tempo)}` : "");

const MINOR = / minor$/;

// Short, as producers write it: A minor is Am, C major is C.
export const key = (item) =>
  item.key ? `${estimated(item.key_source)}${MINOR.test(item.key) ? item.key.replace(MINOR, "m") : item.key.replace(/ major$/, "")}` : "";

export const title = (item) => (item.title ? `${item.artist ? `${item.artist} – ` : ""}${item.title}` : item.name.split("/").pop());

export const folder = (item) => item.folder ?? item.name.split("/").slice(0, -1).join("/");

export const signed = (value, digits = 2) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(digits)}`;

export const reasons = (contributions) =>
  Object.entries(contributions)
    .sort(([, a], [, b]) => Math.abs(b) - Math.abs(a))
    .map(([part, value]) => `${part} ${signed(value)}`)
    .join(", ");

export const matched = ({ item, start, end }) => (item.kind === "song" ? `${clock(start)}–${clock(end)}` : "whole");

// A hit as a screen reader says it.
export function spoken(hit, index, { judged = null } = {}) {
  const { item, score, contributions, copies } = hit;
  return [
    title(item),
    item.kind,
    score !== null && `score ${score.toFixed(2)}`,
    score !== null && reasons(contributions),
    item.kind === "song" && score !== null ? `matched ${matched(hit)}` : short(item.duration),
    item.tempo && `${tempo(item).replace("~", "about ")} bpm`,
    item.key && key(item).replace("~", "about ").replace(/m$/, " minor"),
    copies ? plural(copies, "copy", "copies") : null,
    item.favourite && "favourite",
    judged,
  ]
    .filter(Boolean)
    .join(", ");
}
