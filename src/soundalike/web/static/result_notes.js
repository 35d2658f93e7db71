// What was searched, in words, for the line above the list. Pure functions without access to the page.

import { duration, fileName, KIND_PLURALS, plural, versionTitle } from "./format.js";

/**
 * What was searched, and what was left out.
 * @param {SearchResult} result
 * @param {SearchRequest} request
 * @param {{ kind: Kind, partial: boolean }} options partial: only some windows of the reference were used so far
 */
export function notesOn(result, request, { kind, partial }) {
  const { searched, absent, silent, same, versions, share } = result;
  const compared = Object.keys(result.effective).filter((part) => !silent.includes(part));
  const judged = (request.alike?.length ?? 0) + (request.unlike?.length ?? 0);
  return [
    `${plural(searched, kind)} searched`,
    absent && `${plural(absent, kind)} without ${compared.join(" or ")} not listed`,
    silent.length && `silent in the reference: ${silent.join(", ")}`,
    same && "the reference itself is left out",
    versions.length && `${plural(versions.length, "version")} of it left out: ${versions.map(versionTitle).join(", ")}`,
    judged && `moved by ${plural(judged, "answer")}`,
    share < 1 && `only ${Math.floor(100 * share)} % of the library: a machine of the cluster is down`,
    partial && "first hits, from a few windows; analysing all of it …",
  ]
    .filter(Boolean)
    .join(" · ");
}

/**
 * What happens to a long reference before there are hits.
 * @param {ReferenceSound} sound
 */
export const noteOnLong = (sound) =>
  `analysing ${fileName(sound)} (${duration(sound.duration)}): first the few windows that represent it best, then all of it …`;

/**
 * Why there are no hits of a kind, and what to do.
 * @param {Kind} kind
 * @param {number} count items of that kind in the library
 * @param {boolean} filtered whether any filter is set
 */
export function reasonForNoHits(kind, count, filtered) {
  if (!count) return `this library has no ${KIND_PLURALS[kind]}; index a folder that has some: soundalike index FOLDER`;
  return filtered ? `none of ${plural(count, kind)} matches these filters` : "there is nothing else to compare with";
}

/**
 * What is listed while there is no reference.
 * @param {Kind} kind
 * @param {number} listed
 * @param {number} total
 */
export const noteOnList = (kind, listed, total) =>
  `${total > listed ? `the first ${listed} of ` : ""}${plural(total, kind)}; drop a song to find what sounds alike`;
