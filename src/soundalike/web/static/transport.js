// The bar at the foot of the page: what sounds, where, and what can be done with the chosen hit.

import { $, make, pressed } from "./dom.js";
import { draw } from "./hits/waves.js";
import { onScheme } from "./palette.js";
import * as words from "./words.js";

export class Transport {
  // waves: a `Waves`; player; onSeek(s): the waveform was clicked.
  constructor({ player, waves, onSeek }) {
    Object.assign(this, { player, waves, hit: null });
    $("now-wave").addEventListener("click", (event) => {
      const place = event.offsetX / event.target.clientWidth;
      if (this.hit) onSeek(place * this.hit.item.duration);
    });
    onScheme(() => this.draw());
    new ResizeObserver(() => this.draw()).observe($("now-wave"));
  }

  // Shows a hit; null: none.
  show(hit, { judged = null, held = false, reveal = false } = {}) {
    this.hit = hit;
    $("transport").classList.toggle("empty", !hit);
    for (const button of document.querySelectorAll("#actions button")) button.disabled = !hit;
    $("reveal").hidden = !reveal;
    if (hit) {
      const { item } = hit;
      $("now-name").textContent = words.title(item);
      $("now-facts").textContent = [
        item.kind,
        hit.score !== null && item.kind === "song" && `matched ${words.matched(hit)}`,
        item.tempo && `${words.tempo(item)} bpm`,
        words.key(item),
        words.short(item.duration),
        Number.isFinite(item.loudness) && `${item.loudness.toFixed(1)} LUFS`,
      ]
        .filter(Boolean)
        .join(" · ");
      $("now-why").textContent = hit.score === null ? "" : `${words.signed(hit.score)} = ${words.reasons(hit.contributions)}`;
      $("now-path").textContent = item.path;
      $("now-path").title = [item.path, ...(hit.copy_paths ?? []).map((path) => `same sound: ${path}`)].join("\n");
      const copies = hit.copies ?? 0;
      $("now-copies").hidden = !copies;
      $("now-copies").textContent = copies ? `+${words.plural(copies, "copy", "copies")}` : "";
      $("copies-list").replaceChildren(...(hit.copy_paths ?? []).map((path) => make("li", { textContent: path })));
      pressed($("favourite"), item.favourite);
      $("favourite").textContent = item.favourite ? "★" : "☆";
      pressed($("alike"), judged === "alike");
      pressed($("unlike"), judged === "not alike");
      pressed($("hold"), held);
    } else {
      for (const id of ["now-name", "now-facts", "now-why", "now-path"]) $(id).textContent = "";
      $("now-copies").hidden = true;
    }
    this.state();
  }

  // What the buttons say of the player.
  state() {
    const { player } = this;
    $("toggle").textContent = player.playing ? "❚❚" : "▶";
    $("toggle").setAttribute("aria-label", player.playing ? "pause" : "play");
    $("toggle").disabled = !player.source;
    pressed($("loop"), player.repeat);
    const reference = player.side === "reference";
    $("side-reference").setAttribute("aria-pressed", String(reference));
    $("side-hit").setAttribute("aria-pressed", String(!reference));
    $("side-reference").disabled = !player.sources.reference;
    $("side-hit").disabled = !player.sources.hit;
    $("sounding").textContent = player.playing ? `hearing ${reference ? "the reference: " : "the hit: "}${player.source.name}` : "";
    this.draw();
  }

  get head() {
    return this.player.playing && this.player.side === "hit" ? this.player.position : null;
  }

  draw() {
    const { hit } = this;
    const peaks = hit && this.waves.of(hit.item.id);
    draw($("now-wave"), peaks, hit?.start ?? 0, hit?.end ?? 0, this.head);
    const { source } = this.player;
    $("time").textContent = source ? words.clock(this.player.position) : "";
  }
}
