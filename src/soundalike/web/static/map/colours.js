// Colours of the points of the map (by kind, tempo or folder), and their shapes. Pure functions without access to the page.

import { KIND_PLURALS } from "../format.js";

/** @typedef {"circle" | "square" | "triangle"} Shape */
/** @typedef {{ name: string, colour: string, shape?: Shape }} LegendEntry */
/**
 * of: the index in the legend of each point.
 * @typedef {{ legend: LegendEntry[], of: Uint8Array }} Colouring
 */

// Distinguishable with any colour vision (after Okabe and Ito), on dark and on light backgrounds.
const DISTINCT = ["#4c9be0", "#e69f00", "#2fae86", "#d9784a", "#c987b6", "#b8a93a", "#7f8ea3", "#6fc3df"];
const UNKNOWN = "#8a8f94";

// Slow to fast: blue over green to yellow, in even steps of lightness (after viridis).
const TEMPO_COLOURS = ["#7c6fd6", "#4a92cf", "#2aa893", "#7fbf4a", "#e0b92f"];
const TEMPO_EDGES = [80, 100, 120, 140];
const TEMPO_NAMES = ["under 80", "80–100", "100–120", "120–140", "over 140"];

/**
 * Kinds differ in shape too, whatever the colours show.
 * @type {Record<Kind, Shape>}
 */
const SHAPES = { song: "circle", loop: "square", "one-shot": "triangle" };

/** @type {Record<Shape, string>} */
export const SYMBOLS = { circle: "●", square: "■", triangle: "▲" };

const KINDS = /** @type {Kind[]} */ (Object.keys(SHAPES));

/** @param {Kind} kind */
export const shapeOf = (kind) => SHAPES[kind];

/**
 * The kinds among the points.
 * @param {Kind[]} kinds
 */
export const presentKinds = (kinds) => KINDS.filter((kind) => kinds.includes(kind));

/**
 * The first folder level at which the folders differ.
 * @param {string[]} folders
 */
function distinctLevels(folders) {
  const paths = folders.map((folder) => folder.split("/"));
  let depth = 0;
  while (paths.every((path) => path.length > depth + 1 && path[depth] === paths[0][depth])) depth += 1;
  return paths.map((path) => path[depth] || "(no folder)");
}

/**
 * @param {LibraryMap} points
 * @param {string} by kind, tempo or folder
 * @returns {Colouring}
 */
export function coloured(points, by) {
  if (by === "kind") return byKind(points.kind);
  if (by === "tempo") return byTempo(points.tempo);
  return by === "class" ? byClass(points) : byNames(distinctLevels(points.folder));
}

/**
 * @param {Kind[]} kinds
 * @returns {Colouring}
 */
function byKind(kinds) {
  const present = presentKinds(kinds);
  const legend = present.map((kind) => ({ name: KIND_PLURALS[kind], colour: DISTINCT[KINDS.indexOf(kind)], shape: SHAPES[kind] }));
  return { legend, of: Uint8Array.from(kinds, (kind) => present.indexOf(kind)) };
}

/**
 * @param {(number | null)[]} tempos
 * @returns {Colouring}
 */
function byTempo(tempos) {
  const legend = TEMPO_NAMES.map((name, n) => ({ name, colour: TEMPO_COLOURS[n] }));
  legend.push({ name: "unknown", colour: UNKNOWN });
  const of = tempos.map((tempo) => (tempo ? TEMPO_EDGES.filter((edge) => tempo >= edge).length : TEMPO_NAMES.length));
  return { legend, of: Uint8Array.from(of) };
}

/**
 * @param {LibraryMap} points
 * @returns {Colouring}
 */
function byClass({ kind, sound_class: classes }) {
  return byNames(kind.map((one, n) => (one === "one-shot" ? (classes[n] ?? "unknown") : one)));
}

/**
 * The most frequent names, and the others together.
 * @param {string[]} names
 * @returns {Colouring}
 */
function byNames(names) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  const frequent = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([name]) => name);
  const named = frequent.slice(0, DISTINCT.length);
  const legend = named.map((name, n) => ({ name, colour: DISTINCT[n] }));
  if (frequent.length > named.length) legend.push({ name: `${frequent.length - named.length} others`, colour: UNKNOWN });
  const index = new Map(named.map((name, n) => [name, n]));
  return { legend, of: Uint8Array.from(names, (name) => index.get(name) ?? named.length) };
}
