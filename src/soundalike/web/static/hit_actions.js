// What can be done with hits: copy a path, download, show in the file manager, mark as favourite, export the list.

import * as api from "./api.js";
import { save } from "./dom.js";
import { FORMATS } from "./export.js";
import { taken } from "./hits/taking.js";
import { showStatus } from "./status.js";

/**
 * @param {string} text
 * @param {string} what for the message, if the browser does not allow it
 */
export async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    throw new Error(`the browser does not allow copying; ${what}: ${text}`);
  }
  showStatus(`copied: ${text}`);
}

/** @param {Hit[]} hits */
export const copyPaths = (hits) => copy(hits.map(({ item }) => item.path).join("\n"), hits.length > 1 ? "the paths are" : "the path is");

/**
 * Has the browser save hits.
 * @param {Hit[]} hits
 * @param {(hit: Hit) => string} what "file", "seconds", or the name of a part
 */
export function download(hits, what) {
  for (const hit of hits) {
    const { name, address } = taken(hit, what(hit));
    save(name, address);
  }
}

/** @param {Hit} hit */
export async function reveal({ item }) {
  await api.reveal(item.id);
  showStatus(`shown in the file manager: ${item.name}`);
}

/**
 * Makes a hit a favourite, or removes it from the favourites, wherever its item is among `hits`.
 * @param {Hit} hit
 * @param {Hit[]} hits
 */
export async function toggleFavourite(hit, hits) {
  const on = !hit.item.favourite;
  await api.setFavourite(hit.item.id, on);
  for (const one of [hit, ...hits]) if (one.item.id === hit.item.id) one.item.favourite = on;
  showStatus(on ? `${hit.item.name} is a favourite` : `${hit.item.name} is no longer a favourite`);
}

/**
 * Saves the list as a file.
 * @param {keyof typeof FORMATS} format
 * @param {Hit[]} hits
 */
export function exportHits(format, hits) {
  if (!hits.length) throw new Error("the list is empty: there is nothing to export");
  const { type, write } = FORMATS[format];
  const address = URL.createObjectURL(new Blob([write(hits)], { type }));
  save(`hits.${format}`, address);
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
