// The page: a reference on the left, what counts in the middle, hits on the right, what sounds at the foot. Here all is put together.

import * as api from "./api.js";
import { $, pressed, rested } from "./dom.js";
import * as filters from "./filters.js";
import { List } from "./hits/list.js";
import * as intake from "./intake.js";
import { Judgements } from "./judgements.js";
import { FILTERS, fromLink, toLink } from "./link.js";
import { MapDialog } from "./map/dialog.js";
import { Presets } from "./presets.js";
import { Reference } from "./reference.js";
import { Search } from "./search.js";
import { listen } from "./shortcuts.js";
import { Sliders } from "./sliders.js";
import { Player } from "./sound/player.js";
import { provisional, run, say } from "./status.js";
import { copy, copyPath, download, exported, favour, reveal } from "./taking.js";
import { Transport } from "./transport.js";
import { Watch } from "./watch.js";
import { NAMES, Which } from "./which.js";
import { plural } from "./words.js";

const PAUSE = 250; // ms that typing and dragging rest before the server is asked
const BROWSED = 500; // items listed while there is no reference

const state = { library: null, kind: "song" };
let [reference, sliders, which, presets, map] = [];
let current = null; // the hit at the foot of the page: the last one chosen, on the map too

// ---- what sounds -----------------------------------------------------------------------------------------------------

export const player = new Player(
  () => showPlayer(),
  () => showPlayhead(),
);

// What the player plays of a hit: a song at its matched seconds, another sound whole.
function sourceOf({ item, start, end, score }) {
  const matched = item.kind === "song" && score !== null;
  return {
    url: api.audio(item.id),
    name: item.name.split("/").pop(),
    start: matched ? start : 0,
    end: matched ? end : item.duration,
    offset: 0,
    loudness: item.loudness,
    tempo: item.tempo,
    short: item.kind !== "song",
    kind: item.kind,
  };
}

const marks = (hit) => ({ judged: judgements.judged(hit), held: judgements.held?.item.id === hit.item.id });

export const list = new List($("list"), $("canvas"), {
  onChoose: (hit, play) => {
    take(hit);
    judgements.chose(hit);
    const next = list.hits[list.chosen + 1];
    if (next) player.warm(sourceOf(next));
    if (play) run(() => player.play("hit"));
  },
  onStar: (hit) => run(() => star(hit)),
  marks,
});

const transport = new Transport({ player, waves: list.waves, onSeek: (second) => run(() => player.play("hit", second)) });

const judgements = new Judgements({
  context: () => {
    if (!reference?.now) throw new Error("there is nothing to be alike to yet; drop a song first");
    if (reference.now.text) throw new Error("words have no sound that a hit could be alike to; drop a song to judge hits");
    const part = which.part(state.kind);
    return { reference: reference.asked, region: reference.region, weights: part ? { [part]: 1 } : sliders.shares };
  },
  onChange: showHits,
  say,
});

// A hit goes to the foot of the page.
function take(hit) {
  current = hit;
  player.set("hit", sourceOf(hit));
  showHit();
}

function showHit() {
  if (list.hit) current = list.hit;
  transport.show(current, { ...(current && marks(current)), reveal: state.library?.reveal });
}

function showHits() {
  list.refresh();
  showHit();
}

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

// ---- asking ----------------------------------------------------------------------------------------------------------

const asker = new Search({
  busy: (on) => $("results").setAttribute("aria-busy", String(on)),
  shown: showFound,
  provisional: (hits) => {
    list.show(hits);
    provisional();
  },
});

// fresh: another question, whose answer is looked at from its top.
function search({ fresh = true } = {}) {
  later.cancel();
  run(async () => {
    which.show(state.kind);
    if (!reference.now) return browse();
    const part = which.part(state.kind);
    const weights = sliders.shares;
    if (!part && !reference.now.text && !Object.keys(weights).length) {
      asker.forget();
      throw new Error("all parts are at zero or muted, so nothing would count; pull at least one slider");
    }
    const asked = { reference, weights, part, profile: part ? null : presets.name, filters: filters.asked(state.kind), fresh };
    keepState();
    return asker.ask(asked);
  });
}

const later = rested(() => search({ fresh: false }), PAUSE);

function showFound(hits, found, { first, fresh }) {
  $("hits-heading").textContent = "Hits";
  list.show(hits, { keep: !fresh });
  showHit();
  $("weighting-words").textContent = which.part(state.kind) ? "" : found.weighting;
  if (found.windows.length && first) reference.tell(found.windows[0][0]);
  const notes = [`${found.searched.toLocaleString("en")} ${NAMES[state.kind]} searched`];
  if (found.silent.length) notes.push(`silent in the reference: ${found.silent.join(", ")}`);
  if (found.same) notes.push("the reference itself is left out");
  if (first) notes.push("listening to the rest …");
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
  const { path, ...asked } = filters.asked(state.kind);
  asker.forget();
  const found = await api.items({ ...asked, text: path ?? "", limit: BROWSED }, asker.stop());
  $("hits-heading").textContent = "Library";
  list.show(found.items.map((item) => ({ item, start: 0, end: item.duration, score: null, contributions: {} })));
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
  } catch (error) {
    if (error.name !== "AbortError") $("results").setAttribute("aria-busy", "false");
    throw error;
  }
}

async function takeItem(id) {
  const item = await api.item(id);
  say(`listening to ${item.name} …`);
  await reference.takeItem(item);
}

// ---- the link --------------------------------------------------------------------------------------------------------

function keepState() {
  const kept = { reference: reference.now, region: reference.region, strips: sliders.strips, kind: state.kind, part: which.chosen };
  history.replaceState(null, "", toLink({ ...kept, filters: filters.written() }));
}

async function restoreState() {
  const kept = fromLink(location.hash, state.library.parts);
  if (!kept) return search();
  sliders.set(kept.strips, { quiet: true });
  state.kind = kept.kind;
  which.chosen = kept.part;
  $("find").querySelector(`[value="${kept.kind}"]`).checked = true;
  filters.write(kept.filters);
  reference.pending = kept.region;
  const { item, text, file } = kept.reference ?? {};
  if (item) return takeItem(item);
  if (text && state.library.text) {
    $("text").value = text;
    return reference.takeText(text);
  }
  which.show(state.kind);
  await browse();
  if (file) say(`this link was made with ${file}, which lives outside the library: drop it here, and all is as it was`);
  return undefined;
}

// ---- buttons and keys ------------------------------------------------------------------------------------------------

async function star(hit) {
  await favour(hit, list.hits);
  showHits();
}

// What can be done with a hit: by the buttons of these ids, and by keys.
const actions = {
  favourite: star,
  alike: (hit) => judgements.alike(hit, true),
  unlike: (hit) => judgements.alike(hit, false),
  hold: (hit) => judgements.hold(hit),
  "as-reference": (hit) => takeItem(hit.item.id),
  "copy-path": copyPath,
  reveal,
  download,
};

function buttons() {
  const onClick = (id, action) => $(id).addEventListener("click", () => run(action));
  const side = (name) => () => (player.side === name ? undefined : player.other());
  onClick("play-reference", () => (player.playing && player.side === "reference" ? player.pause() : player.play("reference")));
  onClick("equal", () => {
    presets.leave();
    sliders.setValues(Object.fromEntries(state.library.parts.map((part) => [part, 0.5])));
    search({ fresh: false });
  });
  onClick("favourites-only", () => {
    pressed($("favourites-only"), $("favourites-only").getAttribute("aria-pressed") !== "true");
    search();
  });
  onClick("link", () => copy(location.href, "the link"));
  onClick("help-open", () => $("help").showModal());
  onClick("map-open", () => map.open());
  onClick("toggle", () => player.toggle());
  onClick("side-reference", side("reference"));
  onClick("side-hit", side("hit"));
  onClick("loop", () => player.loop());
  onClick("notice-again", refresh);
  for (const [id, action] of Object.entries(actions)) onClick(id, () => current && action(current));
  $("find").addEventListener("change", (event) => {
    state.kind = event.target.value;
    search();
  });
  $("filters").addEventListener("submit", (event) => event.preventDefault());
  for (const id of FILTERS) $(id).addEventListener("input", later);
  $("export").addEventListener("change", () => {
    const form = $("export").value;
    $("export").value = "";
    if (form) run(() => exported(form, list.hits));
  });
}

function keys() {
  const withHit = (name) => () => current && run(() => actions[name](current));
  const move = (by) => () => list.choose(Math.max(0, Math.min(list.hits.length - 1, list.chosen + by())), true);
  listen({
    ArrowDown: move(() => 1),
    ArrowUp: move(() => -1),
    PageDown: move(() => list.page),
    PageUp: move(() => -list.page),
    Home: move(() => -list.hits.length),
    End: move(() => list.hits.length),
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

// The library has changed: it is asked again.
async function refresh() {
  state.library = await api.library();
  showLibrary();
  map.forget();
  $("notice").hidden = true;
  search({ fresh: false });
}

function notice(words, again = false) {
  $("notice-words").textContent = words;
  $("notice-again").hidden = !again;
  $("notice").hidden = false;
}

// A point of the map is heard: as the hit that it is, or else whole.
async function hear(id) {
  const at = list.hits.findIndex((hit) => hit.item.id === id);
  if (at >= 0) return list.choose(at, true);
  const item = await api.item(id);
  list.leave();
  take({ item, start: 0, end: item.duration, score: null, contributions: {} });
  return player.play("hit");
}

run(async () => {
  state.library = await api.library();
  const { parts, profiles, spread } = state.library;
  sliders = new Sliders(
    $("sliders"),
    parts,
    () => (which.part(state.kind) ? which.show(state.kind) : asker.rerank(sliders.shares, state.library.spread)),
    () => {
      presets.leave();
      later();
    },
  );
  reference = new Reference({
    parts,
    onChange: () => {
      judgements.forget();
      if (reference.region) later();
      else search();
    },
    onSource: (play) => {
      player.set("reference", reference.source);
      if (play) run(() => player.play("reference"));
    },
    onSeek: (second) => run(() => player.play("reference", second)),
  });
  which = new Which({ parts, reference, shares: () => sliders.shares, onChange: search });
  presets = new Presets({
    profiles: profiles.length ? await api.profiles() : [],
    spread,
    sliders,
    onChange: () => search({ fresh: false }),
  });
  map = new MapDialog({
    parts,
    hits: () => (reference.now ? list.hits.map((hit) => hit.item.id) : []),
    onReference: (id) => run(() => takeItem(id)),
    onPlay: (id) => run(() => hear(id)),
  });
  $("by-text").hidden = !state.library.text;
  showLibrary();
  intake.listen({ takeFile, takeItem, takeText: (words) => reference.takeText(words), onRecord: () => player.pause() });
  buttons();
  keys();
  showHit();
  new Watch({
    state: state.library.state,
    items: state.library.items,
    onNew: ({ items, before }) => notice(items > before ? `${plural(items - before, "new file")} indexed.` : "The library has changed.", true),
    onGone: (words) => notice(`${words} Trying again …`),
    onBack: () => ($("notice").hidden = true),
  });
  await restoreState();
});
