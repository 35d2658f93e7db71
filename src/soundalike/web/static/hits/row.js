// A row of the list of hits: made once, filled with one hit after the other.

import { make } from "../dom.js";
import * as words from "../words.js";

const SIGNS = { alike: "alike", "not alike": "not alike" };

const cell = (name, ...children) => make("span", { class: name }, ...children);

export function makeRow() {
  const row = make("div", { class: "hit", role: "option", draggable: true });
  row.parts = {
    rank: cell("rank"),
    wave: make("canvas", { class: "wave" }),
    name: cell("name"),
    facts: cell("facts"),
    tempo: cell("tempo"),
    key: cell("key"),
    length: cell("length"),
    bars: cell("bars", cell("less"), cell("more")),
    score: cell("score"),
    star: cell("star"),
  };
  row.append(...Object.values(row.parts));
  return row;
}

// scale: {more, less}, the greatest sums of positive and of negative contributions in the list; marks: {judged, held}.
export function fillRow(row, hit, index, scale, marks) {
  const { item, score, copies } = hit;
  const { parts } = row;
  row.hit = hit;
  if (row.dataset.index !== String(index)) {
    row.id = `hit-${index}`;
    row.dataset.index = index;
  }
  if (row.title !== item.name) row.title = item.name;
  parts.rank.textContent = score === null ? "" : index + 1;
  parts.name.textContent = words.title(item);
  const where = words.folder(item);
  const judged = SIGNS[marks.judged] ?? "";
  parts.facts.textContent = [
    item.kind,
    item.kind === "song" && score !== null && words.matched(hit),
    copies && `+${words.plural(copies, "copy", "copies")}`,
    judged,
    marks.held && "held for comparing",
    item.status === "missing" && "file is gone",
    where,
  ]
    .filter(Boolean)
    .join(" · ");
  parts.tempo.textContent = words.tempo(item);
  parts.key.textContent = words.key(item);
  parts.length.textContent = words.short(item.duration);
  parts.score.textContent = score === null ? "" : score.toFixed(3);
  parts.star.textContent = item.favourite ? "★" : "☆";
  row.classList.toggle("favourite", Boolean(item.favourite));
  row.classList.toggle("held", Boolean(marks.held));
  fillBars(parts.bars, hit.contributions, scale);
  row.setAttribute("aria-label", words.spoken(hit, index, { judged: judged || null }));
}

// Bars to the right of a line for what speaks for a hit, to the left of it, hatched, for what speaks against it.
function fillBars(bars, contributions, { more, less }) {
  const total = more + less || 1;
  const columns = `${Math.round((100 * less) / total)}% 1fr`;
  if (bars.columns !== columns) bars.style.gridTemplateColumns = bars.columns = columns;
  bars.title = words.reasons(contributions);
  const sides = { less: [], more: [] };
  for (const [name, value] of Object.entries(contributions)) if (value) sides[value < 0 ? "less" : "more"].push([name, Math.abs(value)]);
  for (const box of bars.children) {
    const side = box.className;
    const whole = side === "less" ? less : more;
    const wanted = sides[side];
    while (box.childElementCount > wanted.length) box.lastChild.remove();
    while (box.childElementCount < wanted.length) box.append(document.createElement("i"));
    wanted.forEach(([name, value], n) => {
      const bar = box.children[n];
      const part = name.replace("not ", "");
      const share = whole ? value / whole : 0;
      bar.style.width = `${100 * share}%`;
      if (bar.dataset.part !== part) bar.dataset.part = part;
      const letter = (share * whole) / total > 0.1 ? part[0] : "";
      if (bar.textContent !== letter) bar.textContent = letter;
    });
  }
}
