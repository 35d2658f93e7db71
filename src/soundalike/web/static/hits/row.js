// A row of the list of hits: made once, then filled with one hit after another.

import { make } from "../dom.js";
import * as format from "../format.js";

/**
 * The greatest sums of positive and of negative contributions in the list.
 * @typedef {{ positive: number, negative: number }} BarScale
 */

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
    star: cell("star"),
  };
  const row = make("div", { class: "hit", role: "option", draggable: true }, ...Object.values(cells));
  return Object.assign(row, { cells, bars, hit: /** @type {Hit} */ (/** @type {unknown} */ (null)), columns: "", drawn: "" });
}

/** @typedef {ReturnType<typeof makeRow>} Row */

/**
 * @param {Row} row
 * @param {Hit} hit
 * @param {number} index
 * @param {BarScale} scale
 * @param {HitMarks} marks
 */
export function fillRow(row, hit, index, scale, { answer, held }) {
  const { item, score, copies } = hit;
  const { cells } = row;
  row.hit = hit;
  if (row.dataset.index !== String(index)) {
    row.id = `hit-${index}`;
    row.dataset.index = String(index);
  }
  if (row.title !== item.name) row.title = item.name;
  cells.rank.textContent = score === null ? "" : String(index + 1);
  cells.name.textContent = format.title(item);
  cells.facts.textContent = [
    item.kind,
    item.kind === "song" && score !== null && format.matchedRange(hit),
    copies && `+${format.plural(copies, "copy", "copies")}`,
    answer,
    held && "held for comparison",
    item.status === "missing" && "file is missing",
    item.folder,
  ]
    .filter(Boolean)
    .join(" · ");
  cells.tempo.textContent = format.tempo(item);
  cells.key.textContent = format.key(item);
  cells.length.textContent = format.duration(item.duration);
  cells.score.textContent = score === null ? "" : score.toFixed(3);
  cells.star.textContent = item.favourite ? "★" : "☆";
  row.classList.toggle("favourite", Boolean(item.favourite));
  row.classList.toggle("held", held);
  fillBars(row, hit.contributions, scale);
  row.setAttribute("aria-label", format.spokenHit(hit, answer));
}

/**
 * Draws positive contributions as bars to the right of a line, negative ones, hatched, to its left.
 * @param {Row} row
 * @param {ByPart} contributions
 * @param {BarScale} scale
 */
function fillBars(row, contributions, scale) {
  const total = scale.positive + scale.negative || 1;
  const columns = `${Math.round((100 * scale.negative) / total)}% 1fr`;
  if (row.columns !== columns) row.cells.bars.style.gridTemplateColumns = row.columns = columns;
  row.cells.bars.title = format.contributionText(contributions);
  /** @type {Record<keyof BarScale, [string, number][]>} */
  const sides = { negative: [], positive: [] };
  for (const [part, value] of Object.entries(contributions)) {
    if (value) sides[value < 0 ? "negative" : "positive"].push([part, Math.abs(value)]);
  }
  fillSide(row.bars.negative, sides.negative, scale.negative, total);
  fillSide(row.bars.positive, sides.positive, scale.positive, total);
}

/**
 * @param {HTMLElement} box
 * @param {[string, number][]} contributions of one sign, without it
 * @param {number} greatest the sum that fills the box
 * @param {number} total of both boxes
 */
function fillSide(box, contributions, greatest, total) {
  while (box.childElementCount > contributions.length) box.lastChild?.remove();
  while (box.childElementCount < contributions.length) box.append(document.createElement("i"));
  contributions.forEach(([part, value], n) => {
    const bar = /** @type {HTMLElement} */ (box.children[n]);
    bar.style.width = `${greatest ? (100 * value) / greatest : 0}%`;
    if (bar.dataset.part !== part) bar.dataset.part = part;
    const letter = value / total > 0.1 ? part[0] : "";
    if (bar.textContent !== letter) bar.textContent = letter;
  });
}
