// The state of the page <-> the part of its address after #. Pure functions; nothing here touches the page.
//
// Kept: the reference (an item, words, or the name of a dropped file, which has to be dropped again), the region, the mixer, what is
// looked for, with which part, and the filters. Whatever does not fit (another library, an edited link) is left out.

import { strip } from "./shares.js";

const KINDS = ["song", "loop", "one-shot"];
export const FILTERS = ["tempo", "key", "length", "path"];

const rounded = (value) => Math.round(value * 1e4) / 1e4;

export function toLink(state) {
  const kept = { k: state.kind };
  const { reference } = state;
  if (reference?.item) kept.item = reference.item;
  else if (reference?.text) kept.text = reference.text;
  else if (reference) kept.file = reference.name;
  if (state.region) kept.r = state.region.map(rounded);
  if (state.part) kept.p = state.part;
  kept.w = Object.fromEntries(
    Object.entries(state.strips).map(([part, { value, muted, solo, locked }]) => [
      part,
      locked === null && !muted && !solo ? rounded(value) : [rounded(value), Number(muted), Number(solo), locked === null ? null : rounded(locked)],
    ]),
  );
  const filters = Object.fromEntries(FILTERS.filter((name) => state.filters[name]).map((name) => [name, state.filters[name]]));
  if (state.filters.favourite) filters.favourite = true;
  if (Object.keys(filters).length) kept.f = filters;
  return `#${encodeURIComponent(JSON.stringify(kept))}`;
}

// What a link says, for a library with `parts`: the same shape, with `reference` {item}, {text} or {file}; null for no link.
export function fromLink(hash, parts) {
  let kept;
  try {
    kept = JSON.parse(decodeURIComponent(hash.slice(1)));
  } catch {
    return null;
  }
  if (typeof kept !== "object" || kept === null) return null;
  const words = (value, most = 1000) => (typeof value === "string" && value.length <= most ? value : null);
  const within = (value, low, high) => Number.isFinite(value) && value >= low && value <= high;
  const strips = {};
  for (const part of parts) {
    const [value, muted, solo, locked] = [kept.w?.[part]].flat();
    strips[part] = within(value, -1, 1)
      ? { value, muted: muted === 1, solo: solo === 1, locked: within(locked, -1, 1) ? locked : null }
      : strip(kept.w ? 0 : undefined);
  }
  const names = ["item", "text", "file"].filter((name) => words(kept[name]));
  const filters = Object.fromEntries(FILTERS.map((name) => [name, words(kept.f?.[name]) ?? ""]));
  return {
    reference: names.length ? { [names[0]]: kept[names[0]] } : null,
    region: Array.isArray(kept.r) && kept.r.length === 2 && within(kept.r[0], 0, 1e6) && within(kept.r[1], kept.r[0], 1e6) ? kept.r : null,
    strips,
    kind: KINDS.includes(kept.k) ? kept.k : "song",
    part: parts.includes(kept.p) ? kept.p : null,
    filters: { ...filters, favourite: kept.f?.favourite === true },
  };
}
