// A row of the list of hits: made once, then filled with one hit after another.

import { make } from "../dom.js";
import * as format from "../format.js";
import { deviations, topText, whyText } from "./why.js";

/** @param {string} name */
const cell = (name) => make("span", { class: name });

/** The row element carries its cells and the hit that it shows. */
export function makeRow() {
  const bars = { negative: cell("negative"), positive: cell("positive") };
  const cells = {
    rank: cell("rank"),
    wave: make("canvas", { class: "wave" }),
    name: cell("name"),
    facts: cell("facts"),
    tempo: cell("tempo"),
    key: cell("key"),
    length: cell("length"),
    bars: make("span", { class: "bars" }, bars.negative, bars.positive),
    score: cell("score"),
    grade: cell("grade"),
    star: cell("star"),
  };
  const { score, grade, star, ...first } = cells;
  const mark = make("span", { class: "mark" }, score, grade);
  const row = make("div", { class: "hit", role: "option", draggable: true }, ...Object.values(first), mark, star);
  return Object.assign(row, { cells, bars, hit: /** @type {Hit} */ (/** @type {unknown} */ (null)), drawn: "" });
}

/** @typedef {ReturnType<typeof makeRow>} Row */

/**
 * @param {Row} row
 * @param {Hit} hit
 * @param {number} index
 * @param {object} context
 * @param {import("./why.js").Comparison} context.comparison
 * @param {boolean} context.mixed whether the list has items of several kinds
 * @param {ReturnType<typeof import("./why.js").standingOf>} context.standing in the library
 * @param {HitMarks} context.marks
 */
export function fillRow(row, hit, index, { comparison, mixed, standing, marks: { answer, held } }) {
  const { item, score, copies, versions = [] } = hit;
  const { cells } = row;
  row.hit = hit;
  if (row.dataset.index !== String(index)) {
    row.id = `hit-${index}`;
    row.dataset.index = String(index);
  }
  if (row.title !== item.name) row.title = item.name;
  cells.rank.textContent = score === null ? "" : String(index + 1);
  cells.name.textContent = format.title(item);
  const facts = [
    item.sound_class ?? (mixed && item.kind),
    item.kind === "song" && score !== null && format.matchedRange(hit),
    copies && `+${format.plural(copies, "copy", "copies")}`,
    versions.length && `+${format.plural(versions.length, "version")}`,
    answer,
    held && "held for comparison",
    item.status === "missing" && "file is missing",
    item.folder,
  ]
    .filter(Boolean)
    .join(" · ");
  cells.facts.textContent = facts;
  row.classList.toggle("bare", !facts);
  cells.tempo.textContent = format.tempo(item);
  cells.key.textContent = format.key(item);
  cells.length.textContent = format.duration(item.duration);
  cells.score.textContent = score === null ? "" : score.toFixed(3);
  const meaning = standing ? [standing.grade, topText(standing.share)].filter(Boolean) : [];
  cells.grade.textContent = meaning.join(" · ");
  cells.grade.className = `grade ${standing?.grade ?? ""}`;
  cells.grade.title = standing?.title ?? "";
  cells.star.textContent = item.favourite ? "★" : "☆";
  row.classList.toggle("favourite", Boolean(item.favourite));
  row.classList.toggle("held", held);
  fillBars(row, hit.contributions, comparison);
  row.setAttribute("aria-label", format.spokenHit(hit, answer, meaning.join(", ")));
}

/**
 * Draws how the contributions differ from the list's means: more as bars to the right of the middle, less, hatched, to its left.
 * @param {Row} row
 * @param {ByPart} contributions
 * @param {import("./why.js").Comparison} comparison
 */
function fillBars(row, contributions, { mean, greatest }) {
  row.cells.bars.title = whyText(contributions, mean);
  /** @type {Record<"negative" | "positive", [string, number][]>} */
  const sides = { negative: [], positive: [] };
  for (const [part, value] of deviations(contributions, mean)) {
    if (Math.abs(value) > 1e-9) sides[value < 0 ? "negative" : "positive"].push([part, Math.abs(value)]);
  }
  fillSide(row.bars.negative, sides.negative, greatest);
  fillSide(row.bars.positive, sides.positive, greatest);
}

/**
 * @param {HTMLElement} box
 * @param {[string, number][]} deviations of one sign, without it
 * @param {number} greatest the sum that fills the box
 */
function fillSide(box, deviations, greatest) {
  while (box.childElementCount > deviations.length) box.lastChild?.remove();
  while (box.childElementCount < deviations.length) box.append(document.createElement("i"));
  deviations.forEach(([part, value], n) => {
    const bar = /** @type {HTMLElement} */ (box.children[n]);
    bar.style.width = `${greatest ? (100 * value) / greatest : 0}%`;
    if (bar.dataset.part !== part) bar.dataset.part = part;
    const letter = value / greatest > 0.2 ? part[0] : "";
    if (bar.textContent !== letter) bar.textContent = letter;
  });
}
