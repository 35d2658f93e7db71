// The page: the reference on the left, weights in the middle, hits on the right, the player at the foot. This module connects them.

import * as api from "./api.js";
import { $, debounce, find, inputById, selectById, dialogById, setPressed } from "./dom.js";
import { Feedback } from "./feedback.js";
import * as filters from "./filters.js";
import { KIND_PLURALS, fileName, plural } from "./format.js";
import { copy, copyPath, download, exportHits, reveal, toggleFavourite } from "./hit_actions.js";
import { List } from "./hits/list.js";
import { FILTERS, fromLink, toLink } from "./link.js";
import { MapDialog } from "./map/dialog.js";
import { PartPicker } from "./part_picker.js";
import { ProfileMenu } from "./profiles.js";
import { Reference } from "./reference.js";
import * as referenceInput from "./reference_input.js";
import { Search } from "./search.js";
import * as shortcuts from "./shortcuts.js";
import { Sliders } from "./sliders.js";
import { Player } from "./sound/player.js";
import { run, showProvisional, showStatus } from "./status.js";
import { Transport } from "./transport.js";
import { Watch } from "./watch.js";

const PAUSE = 250; // ms without typing or dragging before the server is asked
const LISTED = 500; // items shown while there is no reference

/** @type {Library} */
let library;
/** The number of items in the library. */
let itemCount = 0;
/**
 * What to search for.
 * @type {Kind}
 */
let kind = "song";
/** @type {Reference} */
let reference;
/** @type {Sliders} */
let sliders;
/** @type {PartPicker} */
let partPicker;
/** @type {ProfileMenu} */
let profileMenu;
/** @type {MapDialog} */
let map;
/**
 * The hit at the foot of the page: the last one chosen, in the list or on the map.
 * @type {Hit | null}
 */
let current = null;
/** Whether a reference was chosen, even before the page was ready for it. */
let referenceChosen = false;

// ---- the player and the chosen hit -------------------------------------------------------------------------------------

export const player = new Player(showPlayer, showPlayhead);

/**
 * What the player plays of a hit: the matched seconds of a song, the whole of a loop or one-shot.
 * @param {Hit} hit
 * @returns {AudioSource}
 */
function sourceOf({ item, start, end, score }) {
  const matched = item.kind === "song" && score !== null;
  return {
    url: api.itemAudio(item.id),
    name: fileName(item),
    start: matched ? start : 0,
    end: matched ? end : item.duration,
    offset: 0,
    loudness: item.loudness,
    tempo: item.tempo,
    short: item.kind !== "song",
    kind: item.kind,
  };
}

const feedback = new Feedback({
  context: () => {
    if (!reference.sound) throw new Error("there is no reference to compare with; drop a song first");
    if (reference.sound.text) throw new Error("hits cannot be compared with a text by ear; drop a song to judge hits");
    const part = partPicker.part(kind);
    return { reference: reference.id, region: reference.region, weights: part ? { [part]: 1 } : sliders.weights };
  },
  onChange: refreshHits,
});

export const list = new List($("list"), $("canvas"), {
  onChoose: (hit, play) => {
    setCurrent(hit);
    feedback.onChosen(hit);
    const next = list.hits[list.chosen + 1];
    if (next) player.prefetch(sourceOf(next));
    if (play) run(() => player.play("hit"));
  },
  onStar: (hit) => run(() => star(hit)),
  marks: (hit) => feedback.marks(hit),
});

const transport = new Transport({
  player,
  waveforms: list.waveforms,
  onSeek: (second) => run(() => player.play("hit", second)),
});

/**
 * Shows a hit at the foot of the page, to be played.
 * @param {Hit} hit
 */
function setCurrent(hit) {
  current = hit;
  player.set("hit", sourceOf(hit));
  showCurrent();
}

function showCurrent() {
  if (list.hit) current = list.hit;
  transport.show(current, current && feedback.marks(current), library.reveal);
}

function refreshHits() {
  list.refresh();
  showCurrent();
}

function showPlayer() {
  transport.showPlayer();
  reference.showPlaying(player.playing && player.side === "reference");
  showPlayhead();
}

function showPlayhead() {
  /** @param {Side} side */
  const position = (side) => (player.playing && player.side === side ? player.position : null);
  list.showPlayhead(position("hit"));
  reference.showPlayhead(position("reference"));
  transport.draw();
}

// ---- searching ---------------------------------------------------------------------------------------------------------

const search = new Search({
  onBusy: (busy) => $("results").setAttribute("aria-busy", String(busy)),
  onResult: showResult,
  onProvisional: (hits) => {
    list.show(hits);
    showProvisional();
  },
});

/**
 * Searches, or lists the library while there is no reference. fresh: a new search, whose hits are shown from the top.
 * @param {{ fresh?: boolean }} [options]
 */
function update({ fresh = true } = {}) {
  updateSoon.cancel();
  run(async () => {
    partPicker.show(kind);
    if (!reference.sound) return listLibrary();
    const part = partPicker.part(kind);
    const { weights } = sliders;
    if (!part && !reference.sound.text && !Object.keys(weights).length) {
      search.clear();
      throw new Error("all parts are at zero or muted, so that nothing is compared; move at least one slider");
    }
    const profile = part ? null : profileMenu.name;
    const options = { reference, weights, part, profile, filters: filters.parsed(kind), fresh };
    storeState();
    return search.run(options);
  });
}

const updateSoon = debounce(() => update({ fresh: false }), PAUSE);

/**
 * @param {Hit[]} hits
 * @param {SearchResult} result
 * @param {import("./search.js").ResultInfo} info
 */
function showResult(hits, result, { partial, fresh }) {
  $("hits-heading").textContent = "Hits";
  list.show(hits, { keepScroll: !fresh });
  showCurrent();
  $("weighting-note").textContent = partPicker.part(kind) ? "" : result.weighting;
  if (partial && result.windows.length) reference.setStart(result.windows[0][0]);
  const notes = [`${result.searched.toLocaleString("en")} ${KIND_PLURALS[kind]} searched`];
  if (result.silent.length) notes.push(`silent in the reference: ${result.silent.join(", ")}`);
  if (result.same) notes.push("the reference itself is left out");
  if (result.share < 1) notes.push(`only ${Math.floor(100 * result.share)} % of the library: a machine of the cluster is down`);
  if (partial) notes.push("analysing the rest …");
  showStatus(hits.length || result.searched ? notes.join(" · ") : reasonForNoHits());
}

/** Why there are no hits, and what to do. */
function reasonForNoHits() {
  const count = library.counts[kind] ?? 0;
  if (!count) return `this library has no ${KIND_PLURALS[kind]}; index a folder that has some: soundalike index FOLDER`;
  return filters.any() ? `none of ${plural(count, kind)} matches these filters` : "there is nothing else to compare with";
}

async function listLibrary() {
  const { path, ...others } = filters.parsed(kind);
  const signal = search.clear();
  const { items, total } = await api.items({ ...others, text: path ?? "", limit: LISTED }, signal);
  $("hits-heading").textContent = "Library";
  list.show(items.map(asHit));
  showCurrent();
  storeState();
  if (!itemCount) showStatus("the library is empty; add music: soundalike index FOLDER");
  else if (!total) showStatus(reasonForNoHits());
  else {
    const first = total > items.length ? `the first ${LISTED} of ` : "";
    showStatus(`${first}${plural(total, kind)}; drop a song to find what sounds alike`);
  }
}

/**
 * An item without a search.
 * @param {Item} item
 * @returns {Hit}
 */
const asHit = (item) => ({ item, start: 0, end: item.duration, score: null, contributions: {} });

// ---- the reference -----------------------------------------------------------------------------------------------------

/** @param {File} file */
async function takeFile(file) {
  showStatus(`uploading ${file.name} …`);
  $("results").setAttribute("aria-busy", "true");
  try {
    await reference.takeFile(file, library, search.restart());
  } catch (error) {
    if (!api.isAbort(error)) $("results").setAttribute("aria-busy", "false");
    throw error;
  }
}

/** @param {string} id */
async function takeItem(id) {
  const item = await api.item(id);
  showStatus(`loading ${item.name} …`);
  await reference.takeItem(item);
}

// ---- the link ----------------------------------------------------------------------------------------------------------

function storeState() {
  const { sound, region } = reference;
  const state = { reference: sound, region, strips: sliders.strips, kind, part: partPicker.chosen, filters: filters.read() };
  history.replaceState(null, "", toLink(state));
}

/** Restores what the page's address describes, except for the reference if one was chosen already. */
async function restoreState() {
  const state = fromLink(location.hash, library.parts);
  if (!state) return referenceChosen ? undefined : update();
  sliders.set(state.strips, { silent: true });
  kind = state.kind;
  partPicker.chosen = state.part;
  find(`#kind [value="${kind}"]`, document, HTMLInputElement).checked = true;
  filters.write(state.filters);
  reference.pendingRegion = state.region;
  if (referenceChosen) return undefined;
  const { item, text, file } = state.reference ?? {};
  if (item) return takeItem(item);
  if (text && library.text) {
    inputById("text").value = text;
    return reference.takeText(text);
  }
  partPicker.show(kind);
  await listLibrary();
  if (file) showStatus(`this link was made with ${file}, which is not in the library: drop it here to restore the search`);
  return undefined;
}

// ---- buttons and keys --------------------------------------------------------------------------------------------------

/** @param {Hit} hit */
async function star(hit) {
  await toggleFavourite(hit, list.hits);
  refreshHits();
}

/**
 * What can be done with the current hit, by the id of its button.
 * @type {Record<string, (hit: Hit) => unknown>}
 */
const actions = {
  favourite: star,
  alike: (hit) => feedback.answerAlike(hit, true),
  "not-alike": (hit) => feedback.answerAlike(hit, false),
  compare: (hit) => feedback.hold(hit),
  "as-reference": (hit) => takeItem(hit.item.id),
  "copy-path": copyPath,
  reveal,
  download,
};

/** @param {string} name */
const onCurrent = (name) => () => {
  const hit = current;
  if (hit) run(() => actions[name](hit));
};

function listenToButtons() {
  /**
   * @param {string} id
   * @param {() => unknown} action
   */
  const onClick = (id, action) => $(id).addEventListener("click", () => run(action));
  /** @param {Side} side */
  const switchTo = (side) => () => (player.side === side ? undefined : player.switchSide());
  onClick("play-reference", () => (player.playing && player.side === "reference" ? player.pause() : player.play("reference")));
  onClick("reset-weights", () => {
    profileMenu.clear();
    sliders.setValues(Object.fromEntries(library.parts.map((part) => [part, 0.5])));
    update({ fresh: false });
  });
  onClick("favourites-only", () => {
    setPressed($("favourites-only"), $("favourites-only").getAttribute("aria-pressed") !== "true");
    update();
  });
  onClick("link", () => copy(location.href, "the link is"));
  onClick("help-open", () => dialogById("help").showModal());
  onClick("map-open", () => map.open());
  onClick("toggle", () => player.toggle());
  onClick("side-reference", switchTo("reference"));
  onClick("side-hit", switchTo("hit"));
  onClick("loop", () => player.toggleLoop());
  onClick("notice-reload", reloadLibrary);
  for (const id of Object.keys(actions)) $(id).addEventListener("click", onCurrent(id));
  $("kind").addEventListener("change", (event) => {
    kind = /** @type {Kind} */ (/** @type {HTMLInputElement} */ (event.target).value);
    update();
  });
  $("filters").addEventListener("submit", (event) => event.preventDefault());
  for (const id of FILTERS) $(id).addEventListener("input", updateSoon);
  const menu = selectById("export");
  menu.addEventListener("change", () => {
    const format = /** @type {"m3u8" | "csv" | "json" | ""} */ (menu.value);
    menu.value = "";
    if (format) run(() => exportHits(format, list.hits));
  });
}

function listenToKeys() {
  /** @param {() => number} rows */
  const move = (rows) => () => list.choose(Math.max(0, Math.min(list.hits.length - 1, list.chosen + rows())), true);
  shortcuts.listen({
    ArrowDown: move(() => 1),
    ArrowUp: move(() => -1),
    PageDown: move(() => list.page),
    PageUp: move(() => -list.page),
    Home: move(() => -list.hits.length),
    End: move(() => list.hits.length),
    Enter: () => current && run(() => player.play("hit")),
    " ": () => run(() => player.toggle()),
    b: () => run(() => player.switchSide()),
    l: () => player.toggleLoop(),
    f: onCurrent("favourite"),
    "+": onCurrent("alike"),
    "=": onCurrent("alike"),
    "-": onCurrent("not-alike"),
    x: onCurrent("compare"),
    1: () => feedback.chooseCloser("a"),
    2: () => feedback.chooseCloser("b"),
    Escape: () => feedback.cancelComparison(),
    u: () => feedback.undo(),
    r: onCurrent("as-reference"),
    c: onCurrent("copy-path"),
    e: () => library.reveal && onCurrent("reveal")(),
    d: onCurrent("download"),
    m: () => map.open(),
    "?": () => dialogById("help").showModal(),
  });
}

// ---- the library -------------------------------------------------------------------------------------------------------

function showLibrary() {
  const { counts, name, encoder, separator } = library;
  const present = /** @type {Kind[]} */ (Object.keys(KIND_PLURALS)).filter((one) => counts[one]);
  itemCount = present.reduce((sum, one) => sum + (counts[one] ?? 0), 0);
  $("library").textContent = `${name}: ${present.map((one) => plural(counts[one] ?? 0, one)).join(", ") || "empty"}`;
  $("library").title = `encoder ${encoder}, separator ${separator}`;
  feedback.showCount(library.answers ?? 0);
}

/** Reloads the library, which has changed. */
async function reloadLibrary() {
  library = await api.library();
  showLibrary();
  map.forget();
  $("notice").hidden = true;
  update({ fresh: false });
}

/**
 * @param {string} message
 * @param {{ reload?: boolean }} [options] reload: offer to reload the library
 */
function showNotice(message, { reload = false } = {}) {
  $("notice-text").textContent = message;
  $("notice-reload").hidden = !reload;
  $("notice").hidden = false;
}

function watchLibrary() {
  new Watch({
    state: library.state,
    items: itemCount,
    onChange: ({ now, before }) => {
      showNotice(now > before ? `${plural(now - before, "new file")} indexed.` : "The library has changed.", { reload: true });
    },
    onGone: (message) => showNotice(`${message} Trying again …`),
    onBack: () => ($("notice").hidden = true),
  });
}

/**
 * Plays a point of the map: as the hit that it is, otherwise the whole item.
 * @param {string} id
 */
async function playItem(id) {
  const index = list.hits.findIndex((hit) => hit.item.id === id);
  if (index >= 0) return list.choose(index, true);
  const item = await api.item(id);
  list.deselect();
  setCurrent(asHit(item));
  return player.play("hit");
}

// ---- start -------------------------------------------------------------------------------------------------------------

function makeControls(/** @type {Profile[]} */ profiles) {
  const { parts, spread } = library;
  sliders = new Sliders(
    $("sliders"),
    parts,
    () => (partPicker.part(kind) ? partPicker.show(kind) : search.rerank(sliders.weights, library.spread)),
    () => {
      profileMenu.clear();
      updateSoon();
    },
  );
  reference = new Reference({
    parts,
    onChange: () => {
      feedback.reset();
      if (reference.region) updateSoon();
      else update();
    },
    onSource: (play) => {
      player.set("reference", reference.source);
      if (play) run(() => player.play("reference"));
    },
    onSeek: (second) => run(() => player.play("reference", second)),
  });
  partPicker = new PartPicker({ parts, reference, weights: () => sliders.weights, onChange: update });
  profileMenu = new ProfileMenu({ profiles, spread, sliders, onChange: () => update({ fresh: false }) });
  map = new MapDialog({
    parts,
    hits: () => (reference.sound ? list.hits.map((hit) => hit.item.id) : []),
    onReference: (id) => run(() => takeItem(id)),
    onPlay: (id) => run(() => playItem(id)),
  });
}

async function start() {
  library = await api.library();
  makeControls(library.profiles.length ? await api.profiles() : []);
  $("by-text").hidden = !library.text;
  showLibrary();
  listenToButtons();
  listenToKeys();
  showCurrent();
  watchLibrary();
}

const ready = start();

/**
 * Lets a reference wait until the page is ready for it.
 * @template T
 * @param {(value: T) => Promise<void> | void} take
 */
const whenReady = (take) => async (/** @type {T} */ value) => {
  referenceChosen = true;
  await ready;
  await take(value);
};

// At once: a file may be chosen or dropped before the library is known.
referenceInput.listen({
  takeFile: whenReady(takeFile),
  takeItem: whenReady(takeItem),
  takeText: whenReady((/** @type {string} */ text) => reference.takeText(text)),
  onRecord: async () => {
    await ready;
    player.pause();
  },
});
run(async () => {
  await ready;
  await restoreState();
});
