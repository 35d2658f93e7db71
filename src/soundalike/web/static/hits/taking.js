// What is taken away of a hit, by download or by dragging its row: the file, its matched seconds, or a stem of them.

import * as api from "../api.js";
import { fileName } from "../format.js";

// Suffixes of files that the server sends unchanged; others are sent as WAV.
const UNCHANGED = /\.(wav|flac|mp3|ogg|oga|opus|m4a|mp4|aac)$/i;

/** @typedef {{ name: string, address: string }} Taken */

/**
 * The file name for a download.
 * @param {Item} item
 */
export function downloadName(item) {
  const name = fileName(item);
  return UNCHANGED.test(name) ? name : `${name.replace(/\.[^.]*$/, "")}.wav`;
}

/**
 * @param {Hit} hit
 * @returns {Taken}
 */
export const wholeFile = ({ item }) => ({ name: downloadName(item), address: api.itemAudio(item.id) });

/**
 * @param {Hit} hit
 * @param {string} what "file", "seconds", or the name of a part
 * @returns {Taken}
 */
export function taken(hit, what) {
  const { item, start, end } = hit;
  if (what === "file") return wholeFile(hit);
  const stem = `${fileName(item).replace(/\.[^.]*$/, "")} ${start.toFixed(1)}-${end.toFixed(1)} s`;
  if (what === "seconds") return { name: `${stem}.wav`, address: api.excerpt({ item: item.id }, start, end) };
  return { name: `${stem} ${what}.wav`, address: api.stemAudio({ item: item.id }, what, start, end) };
}
