// The order of the list by one of its columns. Pure functions without access to the page.

import { title } from "../format.js";

/** @typedef {"name" | "tempo" | "key" | "length" | "score"} Column */

/** @type {Record<Column, (hit: Hit) => string | number | null>} */
const VALUES = {
  name: ({ item }) => title(item).toLowerCase(),
  tempo: ({ item }) => item.tempo,
  key: ({ item }) => item.key,
  length: ({ item }) => item.duration,
  score: ({ score }) => score,
};

/**
 * The hits ordered by a column; equals keep their order, and those without a value come last.
 * @param {Hit[]} hits
 * @param {{ column: Column, descending: boolean }} order
 */
export function sorted(hits, { column, descending }) {
  const sign = descending ? -1 : 1;
  return [...hits].sort((a, b) => {
    const [x, y] = [VALUES[column](a), VALUES[column](b)];
    if (x === null || y === null) return Number(x === null) - Number(y === null);
    return x < y ? -sign : x > y ? sign : 0;
  });
}
