// The bar at the foot of the page: the chosen hit, what is playing, and what can be done with the hit.

import { $, buttonById, canvasById, make, selectById, setPressed } from "./dom.js";
import * as format from "./format.js";
import { secondsOf } from "./hits/taking.js";
import { drawWaveform } from "./hits/waveforms.js";
import { onSchemeChange } from "./palette.js";

const DRAG = 4; // px from which a press is a drag

export class Transport {
  /** @type {Hit | null} */
  hit = null;
  /**
   * The seconds that are being dragged over.
   * @type {Region | null}
   */
  dragged = null;

  /**
   * onSeek(s): the waveform was clicked; onMark: seconds were dragged over.
   * @param {object} options
   * @param {import("./sound/player.js").Player} options.player
   * @param {import("./hits/waveforms.js").Waveforms} options.waveforms
   * @param {(second: number) => void} options.onSeek
   * @param {(marked: Region) => void} options.onMark
   */
  constructor({ player, waveforms, onSeek, onMark }) {
    this.player = player;
    this.waveforms = waveforms;
    this.canvas = canvasById("now-wave");
    this.listenToPointer(onSeek, onMark);
    onSchemeChange(() => this.draw());
    new ResizeObserver(() => this.draw()).observe(this.canvas);
  }

  /**
   * A click plays from there; dragging marks seconds of the hit.
   * @param {(second: number) => void} onSeek
   * @param {(marked: Region) => void} onMark
   */
  listenToPointer(onSeek, onMark) {
    const { canvas } = this;
    /** @type {number | null} */
    let from = null;
    /** @param {number} x */
    const second = (x) => (Math.max(0, Math.min(canvas.clientWidth, x)) / canvas.clientWidth) * (this.hit?.item.duration ?? 0);
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      from = event.offsetX;
    });
    canvas.addEventListener("pointermove", ({ offsetX }) => {
      if (from === null || Math.abs(offsetX - from) < DRAG) return;
      this.dragged = [second(Math.min(from, offsetX)), second(Math.max(from, offsetX))];
      this.draw();
    });
    canvas.addEventListener("pointerup", (event) => {
      const { dragged, hit } = this;
      this.dragged = from = null;
      if (hit && dragged) onMark(dragged);
      else if (hit) onSeek(second(event.offsetX));
    });
    canvas.addEventListener("pointercancel", () => (this.dragged = from = null));
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
      hit.marked && `marked ${hit.marked.map(format.clockMs).join("–")}`,
      hit.match && `like ${format.clock(hit.match.start)}–${format.clock(hit.match.end)} of the reference`,
      item.tempo && `${format.tempo(item)} bpm`,
      format.key(item),
      format.duration(item.duration),
      item.loudness !== null && format.lufs(item.loudness),
    ]
      .filter(Boolean)
      .join(" · ");
    $("now-score").textContent = score === null || Object.keys(contributions).length < 2 ? "" : `${format.signed(score)} = ${format.contributionText(contributions)}`;
    $("now-path").replaceChildren(make("bdi", { dir: "ltr", textContent: item.path }));
    $("now-path").title = [item.path, ...others].join("\n");
    $("now-copies").hidden = !others.length;
    $("now-copies").textContent = [copies && `+${format.plural(copies, "copy", "copies")}`, versions.length && `+${format.plural(versions.length, "version")}`]
      .filter(Boolean)
      .join(" ");
    $("copies-list").replaceChildren(...others.map((textContent) => make("li", { textContent })));
    $("clear-marked").hidden = !hit.marked;
    if (hit.marked && selectById("taken").value === "file") selectById("taken").value = "seconds";
    setPressed($("favourite"), item.favourite);
    $("favourite").textContent = item.favourite ? "★" : "☆";
    setPressed($("alike"), marks?.answer === "alike");
    setPressed($("not-alike"), marks?.answer === "not alike");
    setPressed($("compare"), marks?.held);
  }

  /** Shows the state of the player on its buttons. */
  showPlayer() {
    const { playing, loading, repeat, side, source, sources } = this.player;
    const on = playing || loading;
    $("toggle").textContent = on ? "❚❚" : "▶";
    $("toggle").setAttribute("aria-label", on ? "pause" : "play");
    buttonById("toggle").disabled = !source && !Object.values(sources).some(Boolean);
    setPressed($("loop"), repeat);
    for (const one of /** @type {Side[]} */ (["reference", "hit", "both"])) {
      setPressed($(`side-${one}`), side === one);
      $(`side-${one}`).setAttribute("aria-busy", String(loading && side === one));
    }
    $("time").textContent = source ? format.clock(this.player.position) : "";
    buttonById("side-reference").disabled = !sources.reference;
    buttonById("side-hit").disabled = !sources.hit;
    $("now-playing").textContent = playing ? `playing ${side === "both" ? "the hit in the song" : `the ${side}`}: ${source?.name}` : "";
    this.draw();
  }

  draw() {
    const { hit, player } = this;
    const playhead = player.hears("hit") ? player.positionOf("hit") : null;
    const seconds = this.dragged ?? (hit ? secondsOf(hit) : /** @type {Region} */ ([0, 0]));
    drawWaveform(this.canvas, hit && this.waveforms.get(hit.item.id), seconds, playhead);
    $("time").textContent = player.source ? format.clock(player.position) : "";
  }
}
