// The page: a reference on the left, what counts in the middle, hits on the right, what sounds at the foot.

import * as api from "./api.js";
import { $, make, pressed, rested, save } from "./dom.js";
import { FORMS } from "./export.js";
import * as filters from "./filters.js";
import { List, fileName } from "./hits/list.js";
import { Judgements } from "./judgements.js";
import { FILTERS, fromLink, toLink } from "./link.js";
import { MapDialog } from "./map/dialog.js";
import { Recorder } from "./record.js";
import { Reference } from "./reference.js";
import { Search } from "./search.js";
import { heaviest, valuesOf } from "./shares.js";
import { listen } from "./shortcuts.js";
import { Sliders } from "./sliders.js";
import { Player } from "./sound/player.js";
import { Transport } from "./transport.js";
import { Watch } from "./watch.js";
import { clock, plural } from "./words.js";

const PAUSE = 250; // ms that typing and dragging rest before the server is asked
const BROWSED = 500; // items listed while there is no reference
const NAMES = { song: "songs", loop: "loops", "one-shot": "one-shots" };

const state = { library: null, profiles: [], kind: "song", part: null, profile: null };
let [reference, sliders, map] = [null, null, null];
let current = null; // the hit at the foot of the page: the last one chosen, on the map too

function say(words, { problem = false } = {}) {
  $("status").textContent = words;
  $("status").classList.toggle("problem", problem);
  $("status").classList.remove("provisional");
}

// Runs something that may fail; says what went wrong.
async function run(action) {
  try {
    await action();
  } catch (error) {
    if (error.name === "AbortError") return;
    say(error.message, { problem: true });
  }
}

// ---- what sounds -----------------------------------------------------------------------------------------------------

export const player = new Player(
  () => showPlayer(),
  () => showPlayhead(),
);

const sourceOf = ({ item, start, end, score }) => ({
  url: api.audio(item.id),
  name: item.name.split("/").pop(),
  start: item.kind === "song" && score !== null ? start : 0,
  end: item.kind === "song" && score !== null ? end : item.duration,
  offset: 0,
  loudness: item.loudness,
  tempo: item.tempo,
  short: item.kind !== "song",
  kind: item.kind,
});

export const list = new List($("list"), $("canvas"), {
  onChoose: (hit, play) => {
    current = hit;
    player.set("hit", sourceOf(hit));
    judgements.chose(hit);
    showHit();
    const next = list.hits[list.chosen + 1];
    if (next) player.warm(sourceOf(next));
    if (play) run(() => player.play("hit"));
  },
  onStar: (hit) => run(() => favour(hit)),
  marks: (hit) => ({ judged: judgements.judged(hit), held: judgements.held?.item.id === hit.item.id }),
});

const transport = new Transport({ player, waves: list.waves, onSeek: (second) => run(() => player.play("hit", second)) });

const judgements = new Judgements({
  context: () => {
    if (!reference?.now) throw new Error("there is nothing to be alike to yet; drop a song first");
    if (reference.now.text) throw new Error("words have no sound that a hit could be alike to; drop a song to judge hits");
    const part = chosenPart();
    return { reference: reference.asked, region: reference.region, weights: part ? { [part]: 1 } : sliders.shares };
  },
  onChange: () => {
    list.refresh();
    showHit();
  },
  say,
});

function showPlayer() {
  transport.state();
  reference?.playing(player.playing && player.side === "reference");
  showPlayhead();
}

function showPlayhead() {
  const at = (side) => (player.playing && player.side === side ? player.position : null);
  list.playhead(at("hit"));
  reference?.playhead(at("reference"));
  transport.draw();
}

function showHit() {
  if (list.hit) current = list.hit;
  const judged = current && judgements.judged(current);
  transport.show(current, { judged, held: current && judgements.held?.item.id === current.item.id, reveal: state.library?.reveal });
}

// ---- asking ----------------------------------------------------------------------------------------------------------

// The part of the reference that whole sounds are compared with; null where all parts count.
function chosenPart() {
  if (reference.now?.text) return null;
  if (state.kind === "song" && !reference.whole) return null;
  if (reference.whole && state.kind !== "song") return "mix";
  return state.part ?? heaviest(state.library.parts, sliders.shares);
}

const asker = new Search({
  busy: (on) => $("results").setAttribute("aria-busy", String(on)),
  shown: showFound,
  provisional: (hits) => {
    list.show(hits);
    $("status").classList.add("provisional");
  },
});

function search({ fresh = true } = {}) {
  later.cancel();
  run(async () => {
    if (!reference.now) return browse();
    const part = chosenPart();
    showPart();
    const weights = sliders.shares;
    if (!part && !reference.now.text && !Object.keys(weights).length) {
      asker.forget();
      throw new Error("all parts are at zero or muted, so nothing would count; pull at least one slider");
    }
    const asked = { reference, weights, part, profile: part ? null : state.profile, filters: filters.asked(state.kind), fresh };
    keepState();
    await asker.ask(asked);
  });
}

const later = rested(() => search({ fresh: false }), PAUSE);

function showFound(hits, found, { first, fresh }) {
  $("hits-heading").textContent = "Hits";
  list.show(hits, { keep: !fresh });
  showHit();
  const alone = chosenPart();
  $("weighting-words").textContent = alone ? "" : found.weighting;
  if (found.windows.length && first) reference.tell(found.windows[0][0]);
  const notes = [`${found.searched.toLocaleString("en")} ${NAMES[state.kind]} searched`];
  if (found.silent.length) notes.push(`silent in the reference: ${found.silent.join(", ")}`);
  if (found.same) notes.push("the reference itself is left out");
  if (first) notes.push("listening to the rest …");
  $("status").classList.toggle("first", Boolean(first));
  say(hits.length || found.searched ? notes.join(" · ") : nothing());
}

// Why there are no hits, and what to do.
function nothing() {
  const there = state.library.counts[state.kind] ?? 0;
  if (!there) return `this library has no ${NAMES[state.kind]}; index a folder that has: soundalike index FOLDER`;
  return filters.any() ? `none of ${plural(there, state.kind)} passes these filters` : "nothing else is there to compare with";
}

// Without a reference: what the library holds.
async function browse() {
  const { path, favourite } = filters.written();
  filters.asked(state.kind);
  asker.forget();
  const signal = asker.stop();
  const found = await api.items({ text: path.trim(), kinds: [state.kind], favourite, limit: BROWSED }, signal);
  $("hits-heading").textContent = "Library";
  list.show(found.items.map((item) => ({ item, start: 0, end: item.duration, score: null, contributions: {}, copies: 0, copy_paths: [] })));
  showHit();
  keepState();
  const some = found.total > found.items.length ? `the first ${BROWSED} of ` : "";
  if (!state.library.items) return say("the library is empty; fill it: soundalike index FOLDER");
  return say(found.total ? `${some}${plural(found.total, state.kind)}; drop a song to hear what sounds alike` : nothing());
}

// ---- the reference ---------------------------------------------------------------------------------------------------

async function takeFile(file) {
  say(`listening to ${file.name} …`);
  $("results").setAttribute("aria-busy", "true");
  try {
    await reference.takeFile(file, state.library, asker.stop());
  } finally {
    if (!reference.now) $("results").setAttribute("aria-busy", "false");
  }
}

async function takeItem(id) {
  const item = await api.item(id);
  say(`listening to ${item.name} …`);
  await reference.takeItem(item);
}

const recorder = new Recorder(
  (length, peak) => {
    $("record").textContent = `■ stop  ${clock(length)}`;
    $("record").style.setProperty("--level", `${Math.round(100 * Math.min(1, peak))}%`);
  },
  () => run(record),
);

async function record() {
  if (!recorder.recording) {
    player.pause();
    await recorder.start();
    pressed($("record"), true);
    $("record").textContent = "■ stop";
    return;
  }
  pressed($("record"), false);
  $("record").textContent = "● record";
  $("record").style.removeProperty("--level");
  await takeFile(await recorder.stop());
}

// ---- what counts -----------------------------------------------------------------------------------------------------

function showPart() {
  const part = chosenPart();
  $("which").hidden = !part;
  $("mixer").hidden = Boolean(part && (state.part || reference.whole)); // its sliders would do nothing
  if (!part) return;
  const name = NAMES[state.kind];
  const fixed = reference.whole && state.kind !== "song";
  for (const label of document.querySelectorAll("#which label")) label.hidden = fixed && label.dataset.part !== "mix";
  const best = heaviest(state.library.parts, sliders.shares);
  $("which-auto").textContent = `what counts most (${best})`;
  document.querySelector(`#which input[value="${fixed ? "mix" : (state.part ?? "")}"]`).checked = true;
  $("which-words").textContent = fixed
    ? `Whole sound against whole ${name}.`
    : reference.whole
      ? `The sound is compared with the ${part} of ${name}.`
      : `${part === "mix" ? "The whole of the reference" : `The ${part} of the reference`} against whole ${name}, which have no parts of their own.`;
}

// Weights by hand from now on.
function own() {
  state.profile = null;
  $("preset").value = "";
  $("preset").title = "";
}

function equal() {
  own();
  sliders.setValues(Object.fromEntries(state.library.parts.map((part) => [part, 0.5])));
  search({ fresh: false });
}

// Weights that were learnt from listeners, on the sliders; until one moves, the profile itself is asked with.
function learnt(name) {
  const profile = state.profiles.find((one) => one.name === name);
  if (!profile) return;
  state.profile = name;
  $("preset").title = `${profile.method}; ${profile.data}${profile.notes ? `; ${profile.notes}` : ""}`;
  sliders.setValues(valuesOf(profile.weights, state.library.spread));
  search({ fresh: false });
}

// ---- taking it -------------------------------------------------------------------------------------------------------

async function favour(hit) {
  const on = !hit.item.favourite;
  await api.favour(hit.item.id, on);
  for (const one of [hit, ...list.hits]) if (one.item.id === hit.item.id) one.item.favourite = on;
  list.refresh();
  showHit();
  say(on ? `${hit.item.name} is a favourite` : `${hit.item.name} is a favourite no longer`);
}

async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    throw new Error(`the browser lets nothing be copied here; ${what}: ${text}`);
  }
  say(`copied: ${text}`);
}

function exported(form) {
  if (!list.hits.length) return say("the list is empty: there is nothing to export", { problem: true });
  const { type, write } = FORMS[form];
  const address = URL.createObjectURL(new Blob([write(list.hits)], { type }));
  save(`hits.${form}`, address);
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
  return undefined;
}

// ---- the link --------------------------------------------------------------------------------------------------------

function keepState() {
  const kept = { reference: reference.now, region: reference.region, strips: sliders.strips, kind: state.kind, part: state.part };
  history.replaceState(null, "", toLink({ ...kept, filters: filters.written() }));
}

async function restoreState() {
  const kept = fromLink(location.hash, state.library.parts);
  if (!kept) return browse();
  sliders.set(kept.strips, { quiet: true });
  Object.assign(state, { kind: kept.kind, part: kept.part });
  $("find").querySelector(`[value="${kept.kind}"]`).checked = true;
  filters.write(kept.filters);
  reference.pending = kept.region;
  const { item, text, file } = kept.reference ?? {};
  if (item) return takeItem(item);
  if (text && state.library.text) {
    $("text").value = text;
    return reference.takeText(text);
  }
  await browse();
  if (file) say(`this link was made with ${file}, which lives outside the library: drop it here, and all is as it was`);
  return undefined;
}

// ---- listening to the page -------------------------------------------------------------------------------------------

function listenToReference() {
  const drop = $("drop");
  for (const name of ["dragover", "dragenter"]) {
    document.addEventListener(name, (event) => {
      if (!event.dataTransfer.types.includes("Files")) return;
      event.preventDefault();
      document.body.classList.add("over");
    });
  }
  document.addEventListener("dragleave", (event) => event.relatedTarget || document.body.classList.remove("over"));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    document.body.classList.remove("over");
    const [file] = event.dataTransfer.files;
    if (file) run(() => takeFile(file));
  });
  drop.addEventListener("click", () => $("file").click());
  $("file").addEventListener("change", () => {
    const [file] = $("file").files;
    $("file").value = "";
    if (file) run(() => takeFile(file));
  });
  $("record").addEventListener("click", () => run(record));

  let offered = [];
  const offer = rested(
    () =>
      run(async () => {
        offered = (await api.items({ text: $("library-search").value })).items;
        $("library-items").replaceChildren(...offered.map((item) => new Option(item.name, item.name)));
      }),
    PAUSE,
  );
  $("library-search").addEventListener("input", () => {
    const chosen = offered.find((item) => item.name === $("library-search").value);
    if (chosen) run(() => takeItem(chosen.id));
    else offer();
  });
  $("by-name").addEventListener("submit", (event) => {
    event.preventDefault();
    const chosen = offered.find((item) => item.name === $("library-search").value) ?? offered[0];
    if (chosen) run(() => takeItem(chosen.id));
  });
  $("by-text").addEventListener("submit", (event) => {
    event.preventDefault();
    if ($("text").value.trim()) reference.takeText($("text").value.trim());
  });
  $("play-reference").addEventListener("click", () =>
    run(() => (player.playing && player.side === "reference" ? player.pause() : player.play("reference"))),
  );
}

function listenToRest() {
  $("equal").addEventListener("click", equal);
  $("preset").addEventListener("change", () => learnt($("preset").value));
  for (const radio of document.querySelectorAll("#find input")) {
    radio.addEventListener("change", () => {
      state.kind = radio.value;
      search();
    });
  }
  $("which").addEventListener("change", (event) => {
    state.part = event.target.value || null;
    search();
  });
  $("filters").addEventListener("submit", (event) => event.preventDefault());
  for (const id of FILTERS) $(id).addEventListener("input", later);
  $("favourites-only").addEventListener("click", () => {
    pressed($("favourites-only"), $("favourites-only").getAttribute("aria-pressed") !== "true");
    search();
  });
  $("export").addEventListener("change", () => {
    if ($("export").value) exported($("export").value);
    $("export").value = "";
  });
  $("link").addEventListener("click", () => run(() => copy(location.href, "the link")));
  $("help-open").addEventListener("click", () => $("help").showModal());
  $("map-open").addEventListener("click", () => map.open());
  $("toggle").addEventListener("click", () => run(() => player.toggle()));
  $("side-reference").addEventListener("click", () => player.side === "reference" || run(() => player.other()));
  $("side-hit").addEventListener("click", () => player.side === "hit" || run(() => player.other()));
  $("loop").addEventListener("click", () => player.loop());
  for (const [id, action] of Object.entries(actions)) $(id).addEventListener("click", () => current && run(() => action(current)));
}

// What can be done with a hit: by the buttons of these ids, and by keys.
const actions = {
  favourite: (hit) => favour(hit),
  alike: (hit) => judgements.alike(hit, true),
  unlike: (hit) => judgements.alike(hit, false),
  hold: (hit) => judgements.hold(hit),
  "as-reference": (hit) => takeItem(hit.item.id),
  "copy-path": (hit) => copy(hit.item.path, "its path is"),
  reveal: async (hit) => {
    await api.reveal(hit.item.id);
    say(`shown in the file manager: ${hit.item.name}`);
  },
  download: (hit) => save(fileName(hit.item), api.audio(hit.item.id)),
};

function keys() {
  const withHit = (name) => () => current && run(() => actions[name](current));
  const page = () => Math.max(1, Math.floor($("list").clientHeight / 52) - 1);
  const move = (by) => () => list.choose(Math.max(0, Math.min(list.hits.length - 1, list.chosen + by())), true);
  const end = () => list.hits.length;
  listen({
    ArrowDown: move(() => 1),
    ArrowUp: move(() => -1),
    PageDown: move(page),
    PageUp: move(() => -page()),
    Home: move(() => -end()),
    End: move(end),
    Enter: () => current && run(() => player.play("hit")),
    " ": () => run(() => player.toggle()),
    b: () => run(() => player.other()),
    l: () => player.loop(),
    f: withHit("favourite"),
    "+": withHit("alike"),
    "=": withHit("alike"),
    "-": withHit("unlike"),
    x: withHit("hold"),
    1: () => judgements.closer("a"),
    2: () => judgements.closer("b"),
    Escape: () => judgements.release(),
    u: () => run(() => judgements.undo()),
    r: withHit("as-reference"),
    c: withHit("copy-path"),
    e: () => state.library.reveal && withHit("reveal")(),
    d: withHit("download"),
    m: () => map.open(),
    "?": () => $("help").showModal(),
  });
}

// ---- the library -----------------------------------------------------------------------------------------------------

function showLibrary() {
  const { counts, name, encoder, separator } = state.library;
  const held = Object.keys(NAMES).filter((kind) => counts[kind]);
  state.library.items = held.reduce((sum, kind) => sum + counts[kind], 0);
  $("library").textContent = `${name}: ${held.map((kind) => plural(counts[kind], kind)).join(", ") || "empty"}`;
  $("library").title = `made with ${encoder} and ${separator}`;
  judgements.count(state.library.answers ?? 0);
}

async function refresh() {
  state.library = await api.library();
  showLibrary();
  map.forget();
  $("notice").hidden = true;
  search({ fresh: false });
}

function notice(words, button = null) {
  $("notice-words").textContent = words;
  $("notice-again").hidden = !button;
  $("notice").hidden = false;
}

run(async () => {
  state.library = await api.library();
  const { parts, profiles } = state.library;
  sliders = new Sliders(
    $("sliders"),
    parts,
    () => {
      if (chosenPart()) showPart();
      else asker.rerank(sliders.shares, state.library.spread);
    },
    () => {
      own();
      later();
    },
  );
  const playReference = (second) => run(() => player.play("reference", second));
  reference = new Reference({
    parts,
    onChange: () => {
      judgements.forget();
      if (reference.region || !reference.now) later();
      else search();
    },
    onSource: (play) => {
      player.set("reference", reference.source);
      if (play) playReference(null);
    },
    onSeek: playReference,
  });
  map = new MapDialog({
    parts,
    kind: () => state.kind,
    hits: () => (reference.now ? list.hits.map((hit) => hit.item.id) : []),
    onReference: (id) => run(() => takeItem(id)),
    onPlay: (id) =>
      run(async () => {
        const at = list.hits.findIndex((hit) => hit.item.id === id);
        if (at >= 0) return list.choose(at, true);
        const item = await api.item(id);
        list.leave();
        current = { item, start: 0, end: item.duration, score: null, contributions: {} };
        player.set("hit", sourceOf(current));
        showHit();
        return player.play("hit");
      }),
  });
  for (const [value, words] of [["", ""], ...parts.map((part) => [part, part])]) {
    const label = make("label", {}, make("input", { type: "radio", name: "which", value }), make("span", { textContent: words }));
    label.dataset.part = value;
    if (!value) label.querySelector("span").id = "which-auto";
    $("which-parts").append(label);
  }
  $("by-text").hidden = !state.library.text;
  state.profiles = profiles.length ? await api.profiles() : [];
  $("preset").hidden = !state.profiles.length;
  $("preset").append(...state.profiles.map(({ name }) => new Option(name, name)));
  showLibrary();
  listenToReference();
  listenToRest();
  keys();
  showHit();
  $("notice-again").addEventListener("click", () => run(refresh));
  new Watch({
    state: state.library.state,
    items: state.library.items,
    onNew: ({ items, before }) => notice(items > before ? `${plural(items - before, "new file")} indexed.` : "The library has changed.", true),
    onGone: (words) => notice(`${words} Trying again …`),
    onBack: () => ($("notice").hidden = true),
  });
  await restoreState();
});
