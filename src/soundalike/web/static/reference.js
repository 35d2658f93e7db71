// The reference at the top of the page: its waveform, facts, selected region and pads, as views of the current question.

import * as api from "./api.js";
import { $, inputById, make, selectById, setPressed } from "./dom.js";
import { clock, clockMs, fileName, keyName, lufs, parseSeconds } from "./format.js";
import { Pads } from "./pads.js";
import { messageOf } from "./status.js";
import { SHORTEST_REGION, WaveformView } from "./waveform_view.js";

const LEAD = 0.005; // s before an onset from which it is heard
const SHORTEST_HEARD = 0.3; // s of an onset
const STEM_SECONDS = 30; // of a stem that are requested where no region is selected

/** @typedef {import("./question.js").Question} Question */

export class Reference {
  /**
   * question(): the current one; onChange: what is compared has changed; onSource(play): what the player plays of it has changed,
   * to be played at once or not; onSeek(s, play): a position was chosen; onGroup: a pad was chosen; onHear: its stroke is to be
   * heard; onFilter(name, text): a chip was pressed; onKind: its kind was changed by hand.
   * @param {object} options
   * @param {() => Question} options.question
   * @param {() => void} options.onChange
   * @param {(play: boolean) => void} options.onSource
   * @param {(second: number, play: boolean) => void} options.onSeek
   * @param {() => void} options.onGroup
   * @param {() => void} options.onHear
   * @param {(name: "tempo" | "key", text: string) => void} options.onFilter
   * @param {() => void} options.onKind
   */
  constructor({ question, onChange, onSource, onSeek, onGroup, onHear, onFilter, onKind }) {
    this.question = question;
    this.onChange = onChange;
    this.onSource = onSource;
    this.onFilter = onFilter;
    this.onKind = onKind;
    this.view = new WaveformView({ onSeek: (second, play) => this.seek(second, play, onSeek), onRegion: (region) => this.setRegion(region) });
    this.pads = new Pads({
      onChoose: (group) => {
        this.question().group = group;
        this.show();
        this.showOnsets();
        onGroup();
      },
      onHear,
    });
    this.finding = Promise.resolve(); // until the onsets that were requested last are known, or failed
    this.fields = [inputById("region-start"), inputById("region-end")];
    this.fields.forEach((field, edge) => field.addEventListener("change", () => this.readField(edge)));
    this.listen();
  }

  listen() {
    $("clear-region").addEventListener("click", () => {
      this.view.setRegion(null);
      this.setRegion(null);
    });
    $("snap").addEventListener("click", () => {
      this.view.snapping = !this.view.snapping;
      setPressed($("snap"), this.view.snapping);
    });
    const kind = selectById("reference-kind");
    kind.addEventListener("change", () => {
      const { sound } = this.question();
      if (!sound) return;
      sound.kind = /** @type {Kind} */ (kind.value);
      this.question().analysed = false;
      this.question().solo = "";
      this.question().group = null;
      this.show();
      this.onKind();
      this.loadOnsets();
    });
    for (const name of /** @type {const} */ (["tempo", "key"])) {
      const chip = $(`chip-${name}`);
      chip.addEventListener("click", () => {
        const pressed = chip.getAttribute("aria-pressed") === "true";
        this.onFilter(name, pressed ? "" : (chip.dataset.text ?? ""));
      });
    }
  }

  /** Shows the current question from its beginning. */
  take() {
    const { sound, peaks, region, signal } = this.question();
    const audible = Boolean(sound?.url);
    $("reference").classList.toggle("filled", Boolean(sound));
    $("wave-box").hidden = $("region-controls").hidden = !audible;
    this.pads.clear();
    if (sound?.url) {
      this.view.show(sound.duration, peaks, region);
      this.loadFine(signal);
    } else this.view.clear();
    this.show();
    this.onSource(false);
  }

  /**
   * A finer picture of a sound that is long enough to be enlarged.
   * @param {AbortSignal} signal
   */
  async loadFine(signal) {
    const { sound, id } = this.question();
    if (!sound || sound.duration < 3) return;
    try {
      const overview = await api.waveform(id, Math.min(24_000, Math.ceil(sound.duration * 100)), signal);
      if (!signal.aborted) await this.view.refine(overview);
    } catch {
      // the coarse picture has to do
    }
  }

  /** Requests the onsets of the drums of a song, which become pads. */
  loadOnsets() {
    this.finding = this.findOnsets();
    return this.finding;
  }

  async findOnsets() {
    const question = this.question();
    const { sound, signal, id } = question;
    if (!sound?.url || question.isClip || question.onsets) return this.showOnsets();
    this.pads.showProgress("finding the drum hits …");
    try {
      const onsets = await api.onsets(id, "drums", signal);
      question.onsets = onsets;
      this.showOnsets();
    } catch (error) {
      if (!api.isAbort(error)) this.pads.showProblem(messageOf(error), () => this.loadOnsets());
    }
  }

  /** Requests the names of the pads again: the library, which has changed, may have one-shots nearer to them. */
  async renewOnsets() {
    await this.finding;
    const question = this.question();
    const { signal, id, onsets } = question;
    if (!onsets) return;
    try {
      question.onsets = await api.onsets(id, onsets.part, signal);
      if (!signal.aborted) this.showOnsets();
    } catch {
      // they keep their names
    }
  }

  showOnsets() {
    const { onsets, group, isClip } = this.question();
    const groups = isClip ? [] : (onsets?.groups ?? []);
    this.pads.show(groups, group);
    this.view.setOnsets(groups.flatMap(({ starts }) => starts), group === null ? [] : (groups[group]?.starts ?? []));
  }

  /**
   * @param {number} second
   * @param {boolean} play
   * @param {(second: number, play: boolean) => void} onSeek
   */
  seek(second, play, onSeek) {
    const question = this.question();
    if (question.solo && !question.region) {
      // A stem is requested in pieces: the one that starts here.
      const { source } = this;
      if (source && (second < source.start || second >= source.end)) {
        question.start = second;
        this.onSource(false);
        this.showMarks();
      }
    }
    onSeek(second, play);
  }

  /** @param {Region | null} region */
  setRegion(region) {
    this.question().region = region;
    this.show();
    this.onSource(false);
    this.onChange();
  }

  /**
   * Selects the region whose start or end was written in a field; the other edge stays where it is, to the sample.
   * @param {number} edge
   */
  readField(edge) {
    const { sound, region } = this.question();
    if (!sound) return;
    /** @type {Region} */
    const next = [...(region ?? /** @type {Region} */ ([0, sound.duration]))];
    next[edge] = parseSeconds(this.fields[edge].value);
    const valid = next[1] <= sound.duration + 0.05 && next[1] - next[0] >= SHORTEST_REGION;
    this.fields[edge].setAttribute("aria-invalid", String(!valid));
    if (!valid) {
      const [start, end] = next;
      $("region-note").textContent = Number.isNaN(next[edge])
        ? `${this.fields[edge].value} is not a time; write 1:02.5 or 62.5`
        : start < end && end <= sound.duration
          ? `a region lasts ${1000 * SHORTEST_REGION} ms or more`
          : `a region has a start and a later end between 0:00.000 and ${clockMs(sound.duration)}`;
      return;
    }
    next[1] = Math.min(next[1], sound.duration);
    this.view.setRegion(next);
    this.setRegion(next);
  }

  /** Shows name, facts and region. */
  show() {
    const { sound, region, isClip, group } = this.question();
    $("reference-name").textContent = sound?.name ?? "";
    $("reference-facts").textContent = !sound ? "" : sound.text ? "text" : factsOf(sound);
    $("reference-kind-box").hidden = !sound?.url;
    for (const name of ["tempo", "key"]) $(`chip-${name}`).hidden = true;
    if (!sound?.url) return;
    selectById("reference-kind").value = sound.kind ?? "song";
    if (sound.tempo) this.showChip("tempo", String(Math.round(sound.tempo)), `within 4 % of ${Math.round(sound.tempo)} bpm`);
    if (sound.key) this.showChip("key", keyName(sound.key), `keys that fit ${keyName(sound.key)}`);
    const [start, end] = region ?? [0, sound.duration];
    $("clear-region").hidden = !region;
    this.fields[0].value = clockMs(start);
    this.fields[1].value = clockMs(end);
    for (const field of this.fields) field.removeAttribute("aria-invalid");
    const whole = isClip ? `the whole ${sound.kind} is compared` : "the whole song is compared; drag over the waveform to select a region";
    if (group !== null) $("region-note").textContent = "the pressed pad is compared with one-shots and loops; press it again to release it";
    else $("region-note").textContent = region ? `these ${(end - start).toFixed(end - start < 1 ? 3 : 1)} s are compared` : whole;
    this.showMarks();
  }

  /**
   * @param {"tempo" | "key"} name
   * @param {string} filter what it writes into the filter
   * @param {string} label
   */
  showChip(name, filter, label) {
    const chip = $(`chip-${name}`);
    chip.hidden = false;
    chip.dataset.text = filter;
    chip.textContent = label;
    setPressed(chip, inputById(name).value.trim() === filter);
  }

  /** Shows whether the chips' filters are set. */
  showChips() {
    for (const name of ["tempo", "key"]) setPressed($(`chip-${name}`), inputById(name).value.trim() === ($(`chip-${name}`).dataset.text ?? "-"));
  }

  /** Marks the seconds that are heard of a stem. */
  showMarks() {
    const { solo, region } = this.question();
    const { source } = this;
    this.view.mark(solo && !region && source ? [source.start, source.end] : null);
  }

  /**
   * Marks the seconds that matched a hit.
   * @param {Region | null} match
   */
  markMatch(match) {
    if (this.question().solo && !this.question().region) return;
    this.view.mark(match);
  }

  /**
   * Has a stem heard alone; "": all of it.
   * @param {string} part
   */
  soloStem(part) {
    this.question().solo = part;
    this.onSource(true);
    this.showMarks();
  }

  /**
   * What the player plays of it; null for a text.
   * @returns {AudioSource | null}
   */
  get source() {
    const question = this.question();
    const { sound, region, solo, isClip } = question;
    if (!sound?.url) return null;
    const name = fileName(sound);
    const { loudness, tempo = null } = sound;
    if (solo && !isClip) {
      const start = region ? region[0] : Math.min(question.start, Math.max(0, sound.duration - 1));
      const end = region ? region[1] : Math.min(sound.duration, start + STEM_SECONDS);
      const url = api.stemAudio(question.id, solo, start, end);
      return { url, name: `${solo} of ${name}`, start, end, offset: start, loudness, tempo, short: true, kind: "song" };
    }
    const [start, end] = region ?? [isClip ? 0 : question.start, sound.duration];
    const kind = isClip ? (sound.kind ?? "song") : "song";
    const short = isClip && sound.duration < 60;
    return { url: sound.url, name, start, end, offset: 0, loudness, tempo, short, kind };
  }

  /**
   * The loudest onset of the chosen pad, in the song whatever stem is heard alone; null without a pad.
   * @returns {AudioSource | null}
   */
  get strokeSource() {
    const { sound, onsets, group, isClip } = this.question();
    const { starts, ends } = onsets?.groups[group ?? -1] ?? { starts: [], ends: [] };
    if (!sound?.url || isClip || !starts.length) return null;
    const [start, end] = [Math.max(0, starts[0] - LEAD), Math.max(ends[0], starts[0] + SHORTEST_HEARD)];
    const { loudness, tempo = null } = sound;
    return { url: sound.url, name: fileName(sound), start, end, offset: 0, loudness, tempo, short: false, kind: "one-shot", stops: true };
  }

  /**
   * Sets where it starts to play while no region is selected.
   * @param {number} second
   */
  setStart(second) {
    const question = this.question();
    if (question.region || question.isClip || question.start === second) return;
    question.start = second;
    this.onSource(false);
    this.showMarks();
  }

  /**
   * Shows on the button whether it is playing.
   * @param {boolean} playing
   */
  showPlaying(playing) {
    setPressed($("play-reference"), playing);
    $("play-reference").textContent = playing ? "❚❚ pause" : "▶ play";
  }
}

/** @param {ReferenceSound} sound */
function factsOf(sound) {
  const { duration, tempo, tempo_source, key, key_source, loudness } = sound;
  return [
    clock(duration),
    tempo && `${tempo_source === "estimate" ? "~" : ""}${Math.round(tempo)} bpm`,
    key && `${key_source === "estimate" ? "~" : ""}${keyName(key)}`,
    typeof loudness === "number" && lufs(loudness),
  ]
    .filter(Boolean)
    .join(" · ");
}

/**
 * The list of several dropped files, of which one is the reference.
 * @param {File[]} files
 * @param {number} current
 * @param {(index: number) => void} onChoose
 */
export function showDropped(files, current, onChoose) {
  $("dropped").hidden = files.length < 2;
  $("dropped").replaceChildren(
    make("span", { class: "secondary", textContent: `${files.length} files dropped:` }),
    ...files.slice(0, 40).map((file, n) => {
      const button = make("button", { type: "button", textContent: file.name, "aria-pressed": String(n === current) });
      button.addEventListener("click", () => onChoose(n));
      return button;
    }),
  );
}
