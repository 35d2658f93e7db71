// The bar at the foot of the page: the chosen hit, what is playing, and what can be done with the hit.

import { $, buttonById, canvasById, make, setPressed } from "./dom.js";
import * as format from "./format.js";
import { drawWaveform } from "./hits/waveforms.js";
import { onSchemeChange } from "./palette.js";

export class Transport {
  /** @type {Hit | null} */
  hit = null;

  /**
   * onSeek(s): the waveform was clicked.
   * @param {object} options
   * @param {import("./sound/player.js").Player} options.player
   * @param {import("./hits/waveforms.js").Waveforms} options.waveforms
   * @param {(second: number) => void} options.onSeek
   */
  constructor({ player, waveforms, onSeek }) {
    this.player = player;
    this.waveforms = waveforms;
    this.canvas = canvasById("now-wave");
    this.canvas.addEventListener("click", (event) => {
      if (this.hit) onSeek((event.offsetX / this.canvas.clientWidth) * this.hit.item.duration);
    });
    onSchemeChange(() => this.draw());
    new ResizeObserver(() => this.draw()).observe(this.canvas);
  }

  /**
   * @param {Hit | null} hit
   * @param {HitMarks | null} marks
   * @param {boolean} canReveal whether files can be shown in the file manager
   */
  show(hit, marks, canReveal) {
    this.hit = hit;
    $("transport").classList.toggle("empty", !hit);
    for (const button of document.querySelectorAll("#actions button")) /** @type {HTMLButtonElement} */ (button).disabled = !hit;
    $("reveal").hidden = !canReveal;
    if (hit) this.showHit(hit, marks);
    else {
      for (const id of ["now-name", "now-facts", "now-score", "now-path"]) $(id).textContent = "";
      $("now-copies").hidden = true;
    }
    this.showPlayer();
  }

  /**
   * @param {Hit} hit
   * @param {HitMarks | null} marks
   */
  showHit(hit, marks) {
    const { item, score, contributions, copies = 0, copy_paths: copyPaths = [], versions = [] } = hit;
    const others = [...copyPaths.map((path) => `copy: ${path}`), ...versions.map(format.versionText)];
    $("now-name").textContent = format.title(item);
    $("now-facts").textContent = [
      item.kind,
      score !== null && item.kind === "song" && `matched ${format.matchedRange(hit)}`,
      hit.match && `like ${format.clock(hit.match.start)}–${format.clock(hit.match.end)} of the reference`,
      item.tempo && `${format.tempo(item)} bpm`,
      format.key(item),
      format.duration(item.duration),
      item.loudness !== null && `${item.loudness.toFixed(1)} LUFS`,
    ]
      .filter(Boolean)
      .join(" · ");
    $("now-score").textContent = score === null ? "" : `${format.signed(score)} = ${format.contributionText(contributions)}`;
    $("now-path").textContent = item.path;
    $("now-path").title = [item.path, ...others].join("\n");
    $("now-copies").hidden = !others.length;
    $("now-copies").textContent = [copies && `+${format.plural(copies, "copy", "copies")}`, versions.length && `+${format.plural(versions.length, "version")}`]
      .filter(Boolean)
      .join(" ");
    $("copies-list").replaceChildren(...others.map((textContent) => make("li", { textContent })));
    setPressed($("favourite"), item.favourite);
    $("favourite").textContent = item.favourite ? "★" : "☆";
    setPressed($("alike"), marks?.answer === "alike");
    setPressed($("not-alike"), marks?.answer === "not alike");
    setPressed($("compare"), marks?.held);
  }

  /** Shows the state of the player on its buttons. */
  showPlayer() {
    const { playing, repeat, side, source, sources } = this.player;
    $("toggle").textContent = playing ? "❚❚" : "▶";
    $("toggle").setAttribute("aria-label", playing ? "pause" : "play");
    buttonById("toggle").disabled = !source && !Object.values(sources).some(Boolean);
    setPressed($("loop"), repeat);
    setPressed($("side-reference"), side === "reference");
    setPressed($("side-hit"), side === "hit");
    setPressed($("side-both"), side === "both");
    $("time").textContent = source ? format.clock(this.player.position) : "";
    buttonById("side-reference").disabled = !sources.reference;
    buttonById("side-hit").disabled = !sources.hit;
    $("now-playing").textContent = playing ? `playing ${side === "both" ? "the hit in the song" : `the ${side}`}: ${source?.name}` : "";
    this.draw();
  }

  draw() {
    const { hit, player } = this;
    const playhead = player.playing && player.side === "hit" ? player.position : null;
    drawWaveform(this.canvas, hit && this.waveforms.get(hit.item.id), [hit?.start ?? 0, hit?.end ?? 0], playhead);
    $("time").textContent = player.source ? format.clock(player.position) : "";
  }
}
