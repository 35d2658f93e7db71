// The state of the page <-> the part of its address after #. Pure functions without access to the page.
//
// Stored: the reference (an item, a text, or the name of an uploaded file, which has to be dropped again), the region, the mixer,
// the kind and part to search for, and the filters. Whatever does not fit (another library, an edited link) is left out.

import { strip } from "./weights.js";

/** @type {Kind[]} */
const KINDS = ["song", "loop", "one-shot"];

/** @type {("tempo" | "key" | "length" | "path")[]} */
export const FILTERS = ["tempo", "key", "length", "path"];

/** @param {number} value */
const rounded = (value) => Math.round(value * 1e6) / 1e6; // finer than a sample

/** @param {Strip} strip */
function packedStrip({ value, muted, solo, locked }) {
  if (locked === null && !muted && !solo) return rounded(value);
  return [rounded(value), Number(muted), Number(solo), locked === null ? null : rounded(locked)];
}

/** @param {Omit<LinkState, "reference"> & { reference: (ReferenceId & { name?: string }) | null }} state */
export function toLink({ reference, region, strips, kind, part, referenceKind, group, filters }) {
  /** @type {Record<string, unknown>} */
  const stored = { k: kind };
  if (reference?.item) stored.item = reference.item;
  else if (reference?.text) stored.text = reference.text;
  else if (reference) Object.assign(stored, { file: reference.name, upload: reference.upload });
  if (referenceKind) stored.rk = referenceKind;
  if (group !== null) stored.g = group;
  if (region) stored.r = region.map(rounded);
  if (part) stored.p = part;
  stored.w = Object.fromEntries(Object.entries(strips).map(([name, one]) => [name, packedStrip(one)]));
  /** @type {Record<string, unknown>} */
  const written = Object.fromEntries(FILTERS.filter((name) => filters[name]).map((name) => [name, filters[name]]));
  if (filters.favourite) written.favourite = true;
  if (filters.collection) written.collection = filters.collection;
  if (filters.classes.length) written.classes = filters.classes;
  if (filters.versions) written.versions = filters.versions;
  if (filters.sameClass === "ignore") written.sameClass = filters.sameClass;
  if (Object.keys(written).length) stored.f = written;
  return `#${encodeURIComponent(JSON.stringify(stored))}`;
}

/**
 * @param {unknown} value
 * @param {number} low
 * @param {number} high
 * @returns {value is number}
 */
const isWithin = (value, low, high) => typeof value === "number" && value >= low && value <= high;

/**
 * @param {unknown} value
 * @returns {value is string}
 */
const isText = (value) => typeof value === "string" && value.length <= 1000;

/**
 * @param {unknown} stored
 * @returns {Region | null}
 */
function regionOf(stored) {
  if (!Array.isArray(stored) || stored.length !== 2) return null;
  const [start, end] = stored;
  return isWithin(start, 0, 1e6) && isWithin(end, start, 1e6) ? [start, end] : null;
}

/**
 * How versions are folded; older links state whether they are shown.
 * @param {unknown} stored
 * @returns {FilterTexts["versions"]}
 */
function versionsOf(stored) {
  if (stored === true || stored === "show") return "show";
  return stored === "loose" || stored === "strict" ? stored : "";
}

/**
 * The state that a link describes, for a library with `parts`; null if it is not a link.
 * @param {string} hash
 * @param {string[]} parts
 * @returns {LinkState | null}
 */
export function fromLink(hash, parts) {
  let stored;
  try {
    stored = JSON.parse(decodeURIComponent(hash.slice(1)));
  } catch {
    return null;
  }
  if (typeof stored !== "object" || stored === null) return null;
  /** @type {Record<string, Strip>} */
  const strips = {};
  for (const part of parts) {
    const [value, muted, solo, locked] = [stored.w?.[part]].flat();
    strips[part] = isWithin(value, -1, 1)
      ? { value, muted: muted === 1, solo: solo === 1, locked: isWithin(locked, -1, 1) ? locked : null }
      : strip(stored.w ? 0 : undefined);
  }
  const source = ["item", "text", "file"].find((name) => isText(stored[name]) && stored[name]);
  /** @param {"tempo" | "key" | "length" | "path"} name */
  const filter = (name) => (isText(stored.f?.[name]) ? stored.f[name] : "");
  return {
    reference: source ? { [source]: stored[source], ...(source === "file" && isText(stored.upload) && { upload: stored.upload }) } : null,
    region: regionOf(stored.r),
    strips,
    kind: KINDS.includes(stored.k) ? stored.k : "song",
    part: parts.includes(stored.p) ? stored.p : null,
    referenceKind: KINDS.includes(stored.rk) ? stored.rk : null,
    group: Number.isInteger(stored.g) && isWithin(stored.g, 0, 400) ? stored.g : null,
    filters: {
      tempo: filter("tempo"),
      key: filter("key"),
      length: filter("length"),
      path: filter("path"),
      favourite: stored.f?.favourite === true,
      collection: isText(stored.f?.collection) ? stored.f.collection : "",
      classes: Array.isArray(stored.f?.classes) ? stored.f.classes.filter(isText).slice(0, 20) : [],
      versions: versionsOf(stored.f?.versions),
      sameClass: stored.f?.sameClass === "ignore" ? "ignore" : "prefer",
    },
  };
}
