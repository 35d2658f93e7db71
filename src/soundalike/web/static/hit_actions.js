// What can be taken from the list: a hit as a file, a path or a favourite; the list as text; the page as a link.

import * as api from "./api.js";
import { save } from "./dom.js";
import { FORMS } from "./export.js";
import { fileName } from "./hits/list.js";
import { say } from "./status.js";

export async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    throw new Error(`the browser lets nothing be copied here; ${what}: ${text}`);
  }
  say(`copied: ${text}`);
}

export const copyPath = ({ item }) => copy(item.path, "its path is");

export const download = ({ item }) => save(fileName(item), api.audio(item.id));

export async function reveal({ item }) {
  await api.reveal(item.id);
  say(`shown in the file manager: ${item.name}`);
}

// Makes a hit a favourite, or one no longer, wherever it is among `hits`.
export async function favour(hit, hits) {
  const on = !hit.item.favourite;
  await api.favour(hit.item.id, on);
  for (const one of [hit, ...hits]) if (one.item.id === hit.item.id) one.item.favourite = on;
  say(on ? `${hit.item.name} is a favourite` : `${hit.item.name} is a favourite no longer`);
}

// Writes the list in one of `FORMS`.
export function exported(form, hits) {
  if (!hits.length) throw new Error("the list is empty: there is nothing to export");
  const { type, write } = FORMS[form];
  const address = URL.createObjectURL(new Blob([write(hits)], { type }));
  save(`hits.${form}`, address);
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
