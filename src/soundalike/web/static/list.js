// The list of hits: only what is in sight is in the page, so that thousands scroll as smoothly as ten.

const HEIGHT = 68;
const MORE = 6;

export const COLOURS = {
  bass: "#e69f00", drums: "#0072b2", guitar: "#009e73", piano: "#cc79a7", vocals: "#d55e00", residuals: "#56b4e9", mix: "#8a8f94",
};

export const clock = (seconds) => `${Math.floor(seconds / 60)}:${(seconds % 60).toFixed(1).padStart(4, "0")}`;

export class List {
  constructor(box, canvas, onChoose) {
    Object.assign(this, { box, canvas, onChoose, hits: [], chosen: -1, shown: new Map() });
    box.addEventListener("scroll", () => this.draw(), { passive: true });
    new ResizeObserver(() => this.draw()).observe(box);
    canvas.addEventListener("click", (event) => {
      const row = event.target.closest(".hit");
      if (row) this.choose(Number(row.dataset.index), true);
    });
  }

  // New hits; the chosen one stays chosen where it is among them.
  show(hits) {
    const id = this.hits[this.chosen]?.item.id;
    this.hits = hits;
    this.chosen = id === undefined ? -1 : hits.findIndex((hit) => hit.item.id === id);
    this.canvas.style.height = `${hits.length * HEIGHT}px`;
    for (const row of this.shown.values()) row.remove();
    this.shown.clear();
    this.draw();
  }

  choose(index, play) {
    if (index < 0 || index >= this.hits.length) return;
    this.chosen = index;
    const top = index * HEIGHT;
    if (top < this.box.scrollTop) this.box.scrollTop = top;
    else if (top + HEIGHT > this.box.scrollTop + this.box.clientHeight) this.box.scrollTop = top + HEIGHT - this.box.clientHeight;
    this.draw();
    for (const [shown, row] of this.shown) row.setAttribute("aria-selected", String(shown === index));
    this.box.setAttribute("aria-activedescendant", `hit-${index}`);
    this.onChoose(this.hits[index], play);
  }

  draw() {
    const first = Math.max(0, Math.floor(this.box.scrollTop / HEIGHT) - MORE);
    const last = Math.min(this.hits.length, Math.ceil((this.box.scrollTop + this.box.clientHeight) / HEIGHT) + MORE);
    for (const [index, row] of this.shown) {
      if (index < first || index >= last) {
        row.remove();
        this.shown.delete(index);
      }
    }
    for (let index = first; index < last; index++) {
      if (this.shown.has(index)) continue;
      const row = this.row(index);
      this.shown.set(index, row);
      this.canvas.append(row);
    }
  }

  row(index) {
    const { item, start, end, score, contributions, copies } = this.hits[index];
    const row = document.createElement("div");
    row.className = "hit";
    row.id = `hit-${index}`;
    row.dataset.index = index;
    row.style.top = `${index * HEIGHT}px`;
    row.setAttribute("role", "option");
    row.setAttribute("aria-selected", String(index === this.chosen));
    row.setAttribute("aria-setsize", this.hits.length);
    row.setAttribute("aria-posinset", index + 1);
    const facts = [
      item.kind,
      item.kind === "song" ? `${clock(start)}-${clock(end)}` : `${item.duration.toFixed(2)} s`,
      item.tempo && `${item.tempo_source === "estimate" ? "~" : ""}${Math.round(item.tempo)} bpm`,
      item.key && `${item.key_source === "estimate" ? "~" : ""}${item.key}`,
      copies && `${copies} cop${copies === 1 ? "y" : "ies"}`,
    ];
    const bars = part("span", "bars");
    const total = Object.values(contributions).reduce((sum, value) => sum + Math.abs(value), 0) || 1;
    const said = [];
    for (const [name, value] of Object.entries(contributions)) {
      const bar = document.createElement("i");
      bar.style.width = `${(100 * Math.abs(value)) / total}%`;
      bar.style.background = COLOURS[name.replace("not ", "")] ?? "#888";
      if (value < 0) bar.style.opacity = ".35";
      bars.append(bar);
      said.push(`${name} ${value >= 0 ? "+" : ""}${value.toFixed(3)}`);
    }
    bars.title = said.join(", ");
    bars.setAttribute("role", "img");
    bars.setAttribute("aria-label", said.join(", "));
    row.append(
      part("span", "rank", String(index + 1)),
      part("span", "name", item.title ? `${item.artist ? `${item.artist}: ` : ""}${item.title}` : item.name),
      bars,
      part("span", "score", score.toFixed(3)),
      part("span", "facts", facts.filter(Boolean).join(" · ")),
    );
    row.title = item.name;
    row.draggable = true;
    row.addEventListener("dragstart", (event) => {
      // Chromium's way to drop a file on the desktop or into a DAW; elsewhere the path is dropped as text.
      const url = new URL(`api/items/${encodeURIComponent(item.id)}/audio`, document.baseURI);
      event.dataTransfer.setData("DownloadURL", `application/octet-stream:${item.name.split("/").pop()}:${url}`);
      event.dataTransfer.setData("text/plain", item.path);
    });
    return row;
  }
}

function part(tag, name, words = "") {
  const found = document.createElement(tag);
  found.className = name;
  found.textContent = words;
  return found;
}
