// The page: a reference on the left, weights in the middle, hits on the right.

import WaveSurfer from "./vendor/wavesurfer.js";
import Regions from "./vendor/regions.js";
import * as api from "./api.js";
import { COLOURS, List, clock } from "./list.js";
import { Player } from "./player.js";
import { effective, packed, ranked } from "./rank.js";

const CANDIDATES = 2000;
const FEW = 3; // windows of a long song that answer first
const LONG = 45; // s; shorter songs are answered whole at once
const PAUSE = 250; // ms that typing and dragging rest before the server is asked

const $ = (id) => document.getElementById(id);
const state = {
  library: null,
  reference: null, // {upload | item | text, name, duration}
  region: null, // [start, end]
  weights: {},
  kind: "song",
  packing: null,
};
let wave = null;
let regions = null;
let asking = null;
let timer = 0;

const list = new List($("list"), $("canvas"), (hit, play) => {
  player.set("hit", {
    url: api.audio(hit.item.id),
    start: hit.start,
    end: hit.end,
    loudness: hit.item.loudness,
    name: hit.item.name,
    whole: hit.item.kind !== "song",
  });
  $("player").hidden = false;
  if (play) run(() => player.play("hit"));
});
const player = new Player($("audio"), showPlayer);

function say(words, { problem = false, provisional = false } = {}) {
  $("status").textContent = words;
  $("status").classList.toggle("problem", problem);
  $("status").classList.toggle("provisional", provisional);
}

// Runs something that may fail; says what went wrong.
async function run(action) {
  try {
    await action();
  } catch (error) {
    if (error.name !== "AbortError") say(error.message, { problem: true });
  }
}

// ---- the reference ---------------------------------------------------------------------------------------------------

async function takeFile(file) {
  const { most_bytes: most } = state.library;
  if (file.size > most) throw new Error(`${file.name} has ${Math.round(file.size / 2 ** 20)} MB; ${most >> 20} MB are the most`);
  say(`listening to ${file.name} …`);
  const found = await api.upload(file, stop());
  take({ upload: found.id, name: found.name, duration: found.duration, loudness: found.loudness }, api.uploaded(found.id), found);
}

async function takeItem(item) {
  say(`listening to ${item.name} …`);
  const found = await api.peaks(item.id);
  take({ item: item.id, name: item.name, duration: found.duration, loudness: item.loudness }, api.audio(item.id), found);
}

function take(reference, url, { peaks, duration }) {
  state.reference = { ...reference, url };
  state.region = null;
  $("reference-name").textContent = `${reference.name} (${clock(duration)})`;
  $("region-controls").hidden = false;
  $("stems").disabled = !reference.upload;
  wave?.destroy();
  regions = Regions.create();
  const colour = getComputedStyle($("drop-hint")).color; // a canvas knows no variables
  wave = WaveSurfer.create({
    container: "#wave",
    height: 96,
    peaks: [peaks.map(([low, high]) => (Math.abs(low) > Math.abs(high) ? low : high))],
    duration,
    waveColor: colour,
    progressColor: colour,
    cursorWidth: 0,
    interact: false,
    plugins: [regions],
  });
  regions.enableDragSelection({ color: "rgba(64, 150, 230, 0.3)" });
  regions.on("region-created", (region) => {
    for (const other of regions.getRegions()) if (other !== region) other.remove();
  });
  regions.on("region-updated", (region) => markRegion(region.start, region.end));
  regions.on("region-created", (region) => region.end > region.start && markRegion(region.start, region.end));
  listenTo("");
  showRegion();
  search();
}

function markRegion(start, end) {
  if (end - start < 0.05) return;
  state.region = [Math.max(0, start), Math.min(end, state.reference.duration)];
  showRegion();
  later(search);
}

function showRegion() {
  $("clear-region").hidden = !state.region;
  $("region-text").textContent = state.region ? `${clock(state.region[0])}-${clock(state.region[1])}` : "the whole song";
  listenTo(document.querySelector("#stems input:checked")?.value ?? "");
}

// Sets what the reference's player gives: the file itself, or one of its stems.
function listenTo(part) {
  if (!state.reference?.url) return;
  const [start, end] = state.region ?? [0, state.reference.duration];
  const stem = part && state.reference.upload;
  player.set("reference", {
    url: stem ? api.stem(state.reference.upload, part, start, end) : state.reference.url,
    start: stem ? 0 : start,
    end: stem ? end - start : end,
    loudness: state.reference.loudness,
    name: state.reference.name,
    whole: false,
  });
}

// ---- weights ---------------------------------------------------------------------------------------------------------

function makeSliders() {
  for (const part of state.library.parts) {
    const box = document.createElement("div");
    box.className = "slider";
    box.innerHTML = '<label></label><output></output><button type="button"></button><input type="range" min="-1" max="1" step="0.01">';
    const [label, output, mute, slider] = box.children;
    slider.id = `weight-${part}`;
    label.htmlFor = slider.id;
    label.textContent = part;
    label.style.borderLeft = `.5rem solid ${COLOURS[part]}`;
    label.style.paddingLeft = ".4rem";
    output.htmlFor = slider.id;
    mute.textContent = "0";
    mute.title = `leave ${part} out`;
    mute.setAttribute("aria-label", `0: leave ${part} out`);
    slider.addEventListener("input", () => setWeight(part, Number(slider.value)));
    slider.addEventListener("change", () => later(search));
    mute.addEventListener("click", () => {
      setWeight(part, 0);
      later(search);
    });
    $("sliders").append(box);
  }
}

function setWeight(part, value) {
  state.weights[part] = value;
  showWeights();
  rerank();
}

function setWeights(weights) {
  for (const part of state.library.parts) state.weights[part] = weights[part] ?? 0;
  showWeights();
  rerank();
  later(search);
}

function showWeights() {
  const total = Object.values(state.weights).reduce((sum, value) => sum + Math.abs(value), 0);
  for (const part of state.library.parts) {
    const slider = $(`weight-${part}`);
    const value = state.weights[part];
    slider.value = value;
    const share = total ? `${value < 0 ? "-" : ""}${Math.round((100 * Math.abs(value)) / total)} %` : "0 %";
    slider.parentElement.querySelector("output").textContent = share;
    slider.setAttribute("aria-valuetext", `${value.toFixed(2)}, ${share}`);
  }
}

// The part that counts most: what whole loops and one-shots are compared with.
function heaviest() {
  return state.library.parts.reduce((best, part) => (state.weights[part] > state.weights[best] ? part : best));
}

// ---- searching -------------------------------------------------------------------------------------------------------

function stop() {
  asking?.abort();
  asking = new AbortController();
  return asking.signal;
}

function later(action) {
  clearTimeout(timer);
  timer = setTimeout(action, PAUSE);
}

function question() {
  const { reference, region, kind } = state;
  const weights = Object.fromEntries(Object.entries(state.weights).filter(([, value]) => value !== 0));
  const asked = { filters: filters(), n: 100 };
  for (const name of ["upload", "item", "text"]) if (reference[name]) asked[name] = reference[name];
  if (region) asked.region = region;
  if (reference.text) return kind === "song" ? asked : { ...asked, part: undefined };
  if (kind === "song") return { ...asked, weights, candidates: CANDIDATES };
  return { ...asked, part: heaviest(), candidates: CANDIDATES };
}

function filters() {
  const range = $("tempo").value.trim();
  const [low, high] = range.split("-").map((value) => (value.trim() === "" ? null : Number(value)));
  if (range && ![low, high].every((value) => value === null || value === undefined || Number.isFinite(value))) {
    throw new Error(`${range} is not a range of tempo; write 90-120`);
  }
  return {
    kinds: [state.kind],
    tempo: range ? (high === undefined ? [low * 0.96, low * 1.04] : [low, high]) : null,
    key: $("key").value.trim() || null,
    path: $("path").value.trim() || null,
  };
}

function search() {
  clearTimeout(timer);
  if (!state.reference) return;
  if (state.kind === "song" && !state.reference.text && !Object.values(state.weights).some((value) => value !== 0)) {
    say("all weights are zero, so nothing would count; pull at least one slider", { problem: true });
    return;
  }
  run(async () => {
    const asked = question();
    const signal = stop();
    $("results").setAttribute("aria-busy", "true");
    const first = state.reference.upload && !state.region && !state.reference.whole && state.reference.duration > LONG;
    if (first) {
      showFound(await api.search({ ...asked, few: FEW }, signal));
      $("status").textContent += " · listening to the rest …";
    }
    const found = await api.search(asked, signal);
    if (!state.region) state.reference.whole = true;
    $("results").removeAttribute("aria-busy");
    showFound(found);
    keepState();
  });
}

function showFound(found) {
  state.packing = found.candidates && packed(found.candidates);
  list.show(state.packing && state.kind === "song" ? merged(found) : found.hits);
  $("weighting-words").textContent = found.weighting;
  const silent = found.silent.length ? ` · silent in the reference: ${found.silent.join(", ")}` : "";
  const same = found.same ? " · the reference itself is left out" : "";
  say(`${found.searched} ${state.kind}s searched${silent}${same}`);
}

// The server's exact hits first, the other candidates behind them.
function merged(found) {
  const exact = new Set(found.hits.map((hit) => hit.item.id));
  return [...found.hits, ...ranked(state.packing, found.effective).filter((hit) => !exact.has(hit.item.id))];
}

// While a slider moves: the candidates in the order of the new weights.
function rerank() {
  if (!state.packing || state.kind !== "song") return;
  const weights = effective(state.weights, state.library.spread);
  if (!Object.keys(weights).length) return;
  list.show(ranked(state.packing, weights));
  $("status").classList.add("provisional");
}

// ---- what else -------------------------------------------------------------------------------------------------------

function showPlayer() {
  const playing = !player.audio.paused;
  $("toggle").textContent = playing ? "❚❚" : "▶";
  $("toggle").setAttribute("aria-label", playing ? "Pause" : "Play");
  $("loop").setAttribute("aria-pressed", String(player.looping));
  $("ab").setAttribute("aria-pressed", String(player.side === "reference"));
  $("play-reference").setAttribute("aria-pressed", String(playing && player.side === "reference"));
  $("now").textContent = player.sources[player.side] ? `${player.side === "hit" ? "" : "reference: "}${player.sources[player.side].name}` : "";
}

function otherSide() {
  run(() => player.play(player.side === "hit" ? "reference" : "hit"));
}

function save(name, text, type) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

function exported(form) {
  const rows = list.hits.slice(0, 500).map((hit, index) => ({
    rank: index + 1, score: hit.score, path: hit.item.path, start: hit.start, end: hit.end, kind: hit.item.kind,
    tempo: hit.item.tempo, key: hit.item.key, ...hit.contributions,
  }));
  if (form === "json") return save("hits.json", `${JSON.stringify(rows, null, 2)}\n`, "application/json");
  if (form === "m3u8") {
    const lines = list.hits.slice(0, 500).map(({ item }) => `#EXTINF:${Math.round(item.duration)},${item.title ?? item.name}\n${item.path}`);
    return save("hits.m3u8", `#EXTM3U\n${lines.join("\n")}\n`, "application/x-mpegurl");
  }
  const columns = Object.keys(rows[0] ?? {});
  const cell = (value) => (/[",\n]/.test(String(value)) ? `"${String(value).replaceAll('"', '""')}"` : String(value ?? ""));
  const text = [columns.join(","), ...rows.map((row) => columns.map((name) => cell(row[name])).join(","))].join("\n");
  return save("hits.csv", `${text}\n`, "text/csv");
}

// The state of the page as a link: what is of the library can be restored, a dropped file cannot.
function keepState() {
  const kept = { w: state.weights, k: state.kind, t: $("tempo").value, key: $("key").value, p: $("path").value };
  if (state.reference?.item) kept.item = state.reference.item;
  if (state.region) kept.r = state.region;
  history.replaceState(null, "", `#${encodeURIComponent(JSON.stringify(kept))}`);
}

async function restoreState() {
  let kept;
  try {
    kept = JSON.parse(decodeURIComponent(location.hash.slice(1)));
  } catch {
    return;
  }
  for (const part of state.library.parts) if (Number.isFinite(kept.w?.[part])) state.weights[part] = kept.w[part];
  showWeights();
  const kind = document.querySelector(`#find input[value="${CSS.escape(String(kept.k))}"]`);
  if (kind) {
    kind.checked = true;
    state.kind = kind.value;
  }
  for (const [id, value] of [["tempo", kept.t], ["key", kept.key], ["path", kept.p]]) $(id).value = value ?? "";
  if (kept.item) {
    const found = await api.peaks(kept.item);
    const [item] = (await api.items("", 500)).items.filter((one) => one.id === kept.item);
    take({ item: kept.item, name: item?.name ?? "reference", duration: found.duration, loudness: item?.loudness ?? null }, api.audio(kept.item), found);
    if (Array.isArray(kept.r)) regions.addRegion({ start: kept.r[0], end: kept.r[1], color: "rgba(64, 150, 230, 0.3)" });
  }
}

function listen() {
  const drop = $("drop");
  for (const name of ["dragover", "dragenter"]) {
    document.addEventListener(name, (event) => {
      event.preventDefault();
      drop.classList.add("over");
    });
  }
  document.addEventListener("dragleave", () => drop.classList.remove("over"));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    const [file] = event.dataTransfer.files;
    if (file) run(() => takeFile(file));
  });
  drop.addEventListener("click", () => $("file").click());
  drop.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      event.stopPropagation();
      $("file").click();
    }
  });
  $("file").addEventListener("click", (event) => event.stopPropagation());
  $("file").addEventListener("change", () => $("file").files[0] && run(() => takeFile($("file").files[0])));

  let offered = [];
  $("library-search").addEventListener("input", () => {
    const chosen = offered.find((item) => item.name === $("library-search").value);
    if (chosen) return void run(() => takeItem(chosen));
    return later(() =>
      run(async () => {
        offered = (await api.items($("library-search").value)).items;
        $("library-items").replaceChildren(...offered.map((item) => new Option(item.name, item.name)));
      }),
    );
  });
  $("by-name").addEventListener("submit", (event) => {
    event.preventDefault();
    if (offered[0]) run(() => takeItem(offered.find((item) => item.name === $("library-search").value) ?? offered[0]));
  });
  $("by-text").addEventListener("submit", (event) => {
    event.preventDefault();
    state.reference = { text: $("text").value, name: `"${$("text").value}"` };
    state.region = null;
    $("reference-name").textContent = state.reference.name;
    search();
  });

  $("clear-region").addEventListener("click", () => {
    regions?.clearRegions();
    state.region = null;
    showRegion();
    search();
  });
  $("play-reference").addEventListener("click", () => {
    if (player.side === "reference" && !player.audio.paused) player.audio.pause();
    else run(() => player.play("reference"));
  });
  $("reset").addEventListener("click", () => setWeights(Object.fromEntries(state.library.parts.map((part) => [part, 0.5]))));
  for (const radio of document.querySelectorAll("#find input")) {
    radio.addEventListener("change", () => {
      state.kind = radio.value;
      search();
    });
  }
  $("filters").addEventListener("submit", (event) => event.preventDefault());
  for (const id of ["tempo", "key", "path"]) $(id).addEventListener("input", () => later(search));
  $("export").addEventListener("change", () => {
    if ($("export").value) exported($("export").value);
    $("export").value = "";
  });
  $("toggle").addEventListener("click", () => run(() => player.toggle()));
  $("ab").addEventListener("click", otherSide);
  $("loop").addEventListener("click", () => player.loop());
  $("help-open").addEventListener("click", () => $("help").showModal());
  document.addEventListener("keydown", shortcut);
}

function shortcut(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || $("help").open) return;
  if (event.target.matches("input:not([type=radio]):not([type=range]), select, textarea")) return;
  const chosen = list.hits[list.chosen];
  const onControl = event.target.matches("button, input");
  const actions = {
    ArrowDown: onControl ? null : () => list.choose(list.chosen + 1, true),
    ArrowUp: onControl ? null : () => list.choose(list.chosen - 1, true),
    Enter: onControl || !chosen ? null : () => run(() => player.play("hit")),
    " ": onControl ? null : () => run(() => player.toggle()),
    b: otherSide,
    l: () => player.loop(),
    c: chosen && (() => run(async () => {
      await navigator.clipboard.writeText(chosen.item.path);
      say(`copied: ${chosen.item.path}`);
    })),
    d: chosen && (() => {
      const link = document.createElement("a");
      link.href = api.audio(chosen.item.id);
      link.download = chosen.item.name.split("/").pop();
      link.click();
    }),
    "?": () => $("help").showModal(),
  };
  const action = actions[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (action) {
    event.preventDefault();
    action();
  }
}

run(async () => {
  state.library = await api.library();
  const { counts, parts } = state.library;
  const kinds = ["song", "loop", "one-shot"].filter((kind) => counts[kind]);
  const held = kinds.map((kind) => `${counts[kind]} ${kind}${counts[kind] === 1 ? "" : "s"}`);
  $("library").textContent = `${state.library.name}: ${held.join(", ")}`;
  $("by-text").hidden = !state.library.text;
  makeSliders();
  for (const part of parts) state.weights[part] = 0.5;
  showWeights();
  for (const part of ["", ...parts.filter((one) => one !== "mix")]) {
    const label = document.createElement("label");
    const radio = Object.assign(document.createElement("input"), { type: "radio", name: "stem", value: part, checked: part === "" });
    radio.addEventListener("change", () => {
      listenTo(part);
      run(() => player.play("reference"));
    });
    label.append(radio, ` ${part || "the file"}`);
    $("stems").append(label);
  }
  if (state.library.profiles.length) {
    $("learnt").hidden = false;
    $("learnt").title = state.library.profiles[0];
    $("learnt").addEventListener("click", () => run(async () => {
      const asked = { ...question(), weights: undefined, profile: state.library.profiles[0] };
      const found = await api.search(asked, stop());
      state.packing = found.candidates && packed(found.candidates);
      list.show(found.hits);
      $("weighting-words").textContent = found.weighting;
    }));
  }
  listen();
  await restoreState();
});
