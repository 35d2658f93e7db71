// What is taken away of a hit, by download or by dragging its row: the file, its marked or matched seconds, or a stem of them.

import * as api from "../api.js";
import { selectById } from "../dom.js";
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
 * The seconds of a hit that are heard and taken: those marked by hand, else those that matched.
 * @param {Hit} hit
 * @returns {Region}
 */
export const secondsOf = ({ marked, start, end }) => marked ?? [start, end];

/**
 * What the menu says is taken of a hit: of songs anything, of loops and one-shots the file or their marked seconds.
 * @param {Hit} hit
 * @returns {string} "file", "seconds", or the name of a part
 */
export function whatIsTaken({ item, score, marked }) {
  const { value } = selectById("taken");
  if (item.kind === "song") return marked || score !== null ? value : "file";
  return marked && value !== "file" ? "seconds" : "file";
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
  if (what === "file") return wholeFile(hit);
  const { item } = hit;
  const [start, end] = secondsOf(hit);
  const stem = `${fileName(item).replace(/\.[^.]*$/, "")} ${start.toFixed(2)}-${end.toFixed(2)} s`;
  if (what === "seconds") return { name: `${stem}.wav`, address: api.excerpt({ item: item.id }, start, end) };
  return { name: `${stem} ${what}.wav`, address: api.stemAudio({ item: item.id }, what, start, end) };
}
