// The page: the reference at the top, its parts to the left, hits and map to the right, the player at the foot. This module
// connects them.

import * as api from "./api.js";
import { comparedPart, comparisonNote } from "./compared_part.js";
import { $, buttonById, debounce, find, inputById, selectById, setPressed } from "./dom.js";
import { audioFiles } from "./dropped_files.js";
import { Feedback } from "./feedback.js";
import { FirstRun } from "./first_run.js";
import * as filters from "./filters.js";
import { KIND_PLURALS, fileName, plural, versionTitle } from "./format.js";
import { copy, copyPaths, download, exportHits, reveal, toggleFavourite } from "./hit_actions.js";
import { List } from "./hits/list.js";
import { taken } from "./hits/taking.js";
import { keep, kept } from "./kept_files.js";
import { FILTERS, fromLink, toLink } from "./link.js";
import { MapPanel } from "./map/panel.js";
import { ProfileMenu } from "./profiles.js";
import { Question, Questions } from "./question.js";
import { Reference, showDropped } from "./reference.js";
import * as referenceInput from "./reference_input.js";
import { Search, isForgotten } from "./search.js";
import * as shortcuts from "./shortcuts.js";
import { Sliders } from "./sliders.js";
import { inTheSong } from "./sound/in_the_song.js";
import { Player } from "./sound/player.js";
import { run, showProvisional, showStatus } from "./status.js";
import { Trail } from "./trail.js";
import { Transport } from "./transport.js";
import { listenToViews, showHelp, showView } from "./views.js";
import { Watch } from "./watch.js";

const PAUSE = 250; // ms without typing or dragging before the server is asked
const LISTED = 500; // items shown while there is no reference
const MATCH_AFTER = 150; // ms after a hit was chosen

/** @type {Library} */
let library;
/** The number of items in the library. */
let itemCount = 0;
/**
 * What to search for.
 * @type {Kind}
 */
let kind = "song";
/**
 * The part that alone is compared with loops and one-shots; null: the one with the greatest weight.
 * @type {string | null}
 */
let chosenPart = null;
/** Whether A+B transposes loops to the key of the song. */
let transposed = false;
/** @type {Reference} */
let reference;
/** @type {Sliders} */
let sliders;
/** @type {ProfileMenu} */
let profileMenu;
/** @type {MapPanel} */
let map;
/** @type {FirstRun} */
let firstRun;
/**
 * The hit at the foot of the page: the last one chosen, in the list or on the map.
 * @type {Hit | null}
 */
let current = null;
/**
 * What the hits were found with.
 * @type {SearchRequest | null}
 */
let answered = null;
/** Whether a reference was chosen, even before the page was ready for it. */
let referenceChosen = false;
/**
 * What a link asks for of a file that has yet to be dropped.
 * @type {LinkState | null}
 */
let awaited = null;

const trail = new Trail();

// ---- the current question ----------------------------------------------------------------------------------------------

const questions = new Questions({ onChange: onQuestion, onOpening: (opening) => showBusy({ opening }) });

const busy = { opening: false, searching: false };

/** @param {Partial<typeof busy>} changes */
function showBusy(changes) {
  Object.assign(busy, changes);
  $("results").classList.toggle("opening", busy.opening); // the rows of the former question
  $("results").setAttribute("aria-busy", String(busy.opening || busy.searching));
}

/** Another question is the current one: everything follows it. */
function onQuestion() {
  player.reset();
  answered = null;
  feedback.reset();
  reference.take();
  $("drop").classList.add("small");
  showView("results");
  run(update);
  reference.loadOnsets();
}

/**
 * The kind that is searched for follows the reference.
 * @param {Question} question
 * @param {LinkState | null} state from a link, whose kind counts
 */
function follow({ sound }, state = null) {
  if (state) return;
  if (sound && !sound.text) chooseKind(sound.kind ?? "song");
}

/** @param {Kind} next */
function chooseKind(next) {
  kind = next;
  find(`#kind [value="${kind}"]`, document, HTMLInputElement).checked = true;
}

/**
 * A question about a sound, with what a link states of it.
 * @param {ReferenceSound} sound
 * @param {[number, number][]} peaks
 * @param {LinkState | null} state
 */
function questionOf(sound, peaks, state) {
  const question = new Question({ ...sound, naturalKind: sound.kind, kind: state?.referenceKind ?? sound.kind }, peaks);
  const region = state?.region;
  if (region && region[1] <= sound.duration + 0.1) question.region = [region[0], Math.min(region[1], sound.duration)];
  if (state?.group !== undefined && !question.isClip) question.group = state?.group ?? null;
  return question;
}

/**
 * @param {File} file
 * @param {LinkState | null} [state]
 */
async function takeFile(file, state = awaited) {
  checkSize(file);
  return open(`uploading ${file.name}`, async (signal) => {
    const described = await api.upload(file, signal, (share) => showDrop(`uploading ${file.name} … ${Math.floor(100 * share)} %`));
    awaited = null;
    keep(described.id, file);
    const sound = { ...soundOf(described), upload: described.id, url: api.uploadAudio(described.id), file };
    const question = questionOf(sound, described.peaks, state);
    follow(question, state);
    return question;
  });
}

/** @param {File} file */
function checkSize(file) {
  if (file.size <= library.most_bytes) return;
  const [size, limit] = [file.size, library.most_bytes].map((bytes) => Math.ceil(bytes / 2 ** 20));
  throw new Error(
    `${file.name} has ${size} MB, but uploads may have ${limit} MB; drop an excerpt, or add it to the library: soundalike index FILE`,
  );
}

/**
 * An upload that a link or a reload names: the server still has it, or the browser has kept its file.
 * @param {string} id
 * @param {string} name
 * @param {LinkState} state
 */
async function takeUpload(id, name, state) {
  try {
    return await open(`loading ${name}`, async (signal) => {
      const described = await api.describeUpload(id, signal);
      const sound = { ...soundOf(described), upload: id, url: api.uploadAudio(id) };
      return questionOf(sound, described.peaks, state);
    });
  } catch (error) {
    if (!isForgotten(error)) throw error;
  }
  const file = await kept(id);
  if (file) return takeFile(file, state);
  awaited = state;
  await update();
  return showStatus(`this link was made with ${name}, which is not in the library: drop it here to restore the search`);
}

/**
 * Sends the file of an upload again that the server no longer has. Whether it could be sent.
 * @param {Question} question
 * @param {AbortSignal} signal
 */
async function renew(question, signal) {
  const { sound } = question;
  if (!sound?.upload) return false;
  const file = sound.file ?? (await kept(sound.upload));
  if (!file) return false;
  const { id } = await api.upload(file, signal);
  keep(id, file);
  signal.throwIfAborted();
  Object.assign(sound, { upload: id, url: api.uploadAudio(id), file });
  reference.onSource(false);
  return true;
}

/**
 * @param {string} id
 * @param {LinkState | null} [state]
 */
function takeItem(id, state = null) {
  return open("loading", async (signal) => {
    const [item, { duration, peaks }] = await Promise.all([api.item(id, signal), api.peaks(id, signal)]);
    const sound = { ...soundOf(item), item: id, duration, url: api.itemAudio(id) };
    const question = questionOf(sound, peaks, state);
    follow(question, state);
    return question;
  });
}

/**
 * @param {string} text
 */
const takeText = (text) => open("searching", async () => new Question({ text, name: `“${text}”`, duration: 0 }));

/**
 * @param {string} doing
 * @param {(signal: AbortSignal) => Promise<Question>} load
 */
async function open(doing, load) {
  showDrop(`${doing} …`);
  try {
    await questions.open(load);
  } finally {
    if (!questions.opening) showDrop("");
  }
}

/** @param {string} message what is under way; "": nothing */
function showDrop(message) {
  $("drop-hint").textContent = message || "or click to choose a file";
  $("drop").classList.toggle("busy", Boolean(message));
}

/**
 * @param {Upload | Item} described
 * @returns {ReferenceSound}
 */
const soundOf = ({ name, duration, kind: itsKind, loudness, tempo, tempo_source, key, key_source }) => ({
  name,
  duration,
  kind: itsKind,
  loudness,
  tempo,
  tempo_source,
  key,
  key_source,
});

/**
 * Takes what was dropped or chosen: of several files the first, the others are listed.
 * @param {{ entries: FileSystemEntry[], files: File[] }} contents
 */
async function takeDrop(contents) {
  const files = await audioFiles(contents, library.extensions);
  /** @param {number} n */
  const take = (n) => {
    showDropped(files, n, (index) => run(() => take(index)));
    return takeFile(files[n]);
  };
  await take(0);
}

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

/** The part that alone is compared now. */
const part = () => comparedPart(questions.current, kind, { chosen: chosenPart, parts: library.parts, weights: sliders.weights });

const feedback = new Feedback({
  answers: () => questions.current.answers,
  context: () => {
    const { sound, id, region } = questions.current;
    if (!sound) throw new Error("there is no reference to compare with; drop a song first");
    if (sound.text) throw new Error("hits cannot be compared with a text by ear; drop a song to judge hits");
    const alone = part();
    return { reference: id, region, weights: alone ? { [alone]: 1 } : sliders.weights };
  },
  onChange: refreshHits,
  onAnswer: () => updateSoon(),
});

export const list = new List($("list"), $("canvas"), {
  onChoose: (hit, play) => {
    setCurrent(hit);
    feedback.onChosen(hit);
    const next = list.hits[list.chosen + 1];
    if (next) player.prefetch(sourceOf(next));
    if (play) run(() => player.play(player.side === "both" && player.sources.both ? "both" : "hit"));
  },
  onStar: (hit) => run(() => star(hit)),
  marks: (hit) => feedback.marks(hit),
  onSelect: showSelection,
  taken: (hit) => taken(hit, whatIsTaken(hit)),
});

/** Shows how many hits are selected. */
function showSelection() {
  const { size } = list.selected;
  $("selection").hidden = !size;
  $("selection-count").textContent = `${plural(size, "hit")} selected`;
}

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
  setTogether();
  showCurrent();
  showMatchSoon(hit);
}

/** Prepares A+B: the current hit in the song. */
function setTogether() {
  const source = current && inTheSong(questions.current, current, { part: part(), transposed });
  const why = typeof source === "string" ? source : "";
  player.set("both", typeof source === "string" ? null : source);
  buttonById("side-both").disabled = !player.sources.both;
  $("side-both").title = why || "Play the hit in the song (A)";
  const { sound } = questions.current;
  $("to-key").hidden = !(player.sources.both && current?.item.kind === "loop" && current.item.key && sound?.key);
}

const showMatchSoon = debounce(
  (/** @type {Hit} */ hit) =>
    run(async () => {
      const question = questions.current;
      if (!answered || hit.score === null || !question.sound?.url) return;
      hit.match ??= await api.matched(answered, hit, question.signal);
      if (hit !== current || question !== questions.current) return;
      reference.markMatch([hit.match.start, hit.match.end]);
      if (player.side !== "reference" || !player.playing) reference.setStart(hit.match.start);
      showCurrent();
    }),
  MATCH_AFTER,
);

function showCurrent() {
  transport.show(current, current && feedback.marks(current), library.reveal);
}

function refreshHits() {
  list.refresh();
  showCurrent();
}

/**
 * Shows hits; the current one keeps its place, with its new seconds and score.
 * @param {Hit[]} hits
 * @param {{ keepScroll?: boolean }} [options]
 */
function showHits(hits, options) {
  list.show(hits, options);
  const same = current && hits.find((hit) => hit.item.id === current?.item.id);
  if (same && same !== current) {
    current = same;
    player.set("hit", sourceOf(same));
  }
  showCurrent();
  map?.draw();
}

function showPlayer() {
  transport.showPlayer();
  const heard = player.playing && player.side === "reference";
  reference?.showPlaying(heard);
  const { sound, isClip, solo } = questions.current;
  sliders?.showHeard(sound?.url && !isClip ? solo : null, heard);
  showPlayhead();
}

function showPlayhead() {
  /** @param {Side[]} sides */
  const position = (...sides) => (player.playing && sides.includes(player.side) ? player.position : null);
  list.showPlayhead(position("hit"));
  reference?.view.showPlayhead(position("reference", "both"));
  transport.draw();
}

// ---- searching ---------------------------------------------------------------------------------------------------------

const search = new Search({
  onBusy: (searching) => showBusy({ searching }),
  onResult: showResult,
  onProvisional: (hits) => {
    showHits(hits);
    showProvisional();
  },
  onForgotten: renew,
});

/**
 * Searches, or lists the library while there is no reference. fresh: a new search, whose hits are shown from the top.
 * @param {{ fresh?: boolean }} [options]
 */
async function update({ fresh = true } = {}) {
  updateSoon.cancel();
  showParts();
  reference.showChips();
  $("clear-filters").hidden = true;
  const question = questions.current;
  if (!question.sound) return listLibrary();
  const alone = part();
  const { weights } = sliders;
  const onsets = kind !== "song" && question.group !== null;
  if (!alone && !onsets && !question.sound.text && !Object.keys(weights).length) {
    search.clear(question);
    throw new Error("all parts are at zero or muted, so that nothing is compared; move at least one slider");
  }
  storeState({ fresh: false });
  return search.run(searchOptions(fresh));
}

/** @param {boolean} fresh */
function searchOptions(fresh) {
  const alone = part();
  return {
    question: questions.current,
    weights: sliders.weights,
    part: alone,
    profile: alone ? null : profileMenu.name,
    filters: filters.parsed(kind),
    kind,
    versions: filters.read().versions,
    fresh,
  };
}

const updateSoon = debounce(() => run(() => update({ fresh: false })), PAUSE);

/** Shows on the strips what is compared. */
function showParts() {
  const alone = part();
  const { current: question } = questions;
  const chosen = chosenPart !== null;
  sliders.showCompared(alone, { chosen, selectable: Boolean(alone) && !(question.isClip && kind !== "song") });
  $("part-note").textContent = comparisonNote(question, alone, KIND_PLURALS[kind], chosenPart);
  if (question.sound && kind !== "song" && question.group !== null) {
    sliders.showCompared("drums", { chosen: true, selectable: false });
    $("part-note").textContent = `The hits of the chosen pad are compared with ${KIND_PLURALS[kind]}.`;
  }
  showPlayer();
}

/**
 * @param {Hit[]} hits
 * @param {SearchResult} result
 * @param {import("./search.js").ResultInfo} info
 */
function showResult(hits, result, { partial, fresh, request }) {
  answered = request;
  $("hits-heading").textContent = "Hits";
  list.percentiles = result.scale;
  showHits(hits, { keepScroll: !fresh });
  if (current) setCurrent(current);
  filters.showClasses(result.classes, updateSoon);
  $("weighting-note").textContent = part() || request.onsets ? "" : result.weighting;
  if (partial && result.windows.length && !current) reference.setStart(result.windows[0][0]);
  const notes = [`${plural(result.searched, kind)} searched`];
  if (result.silent.length) notes.push(`silent in the reference: ${result.silent.join(", ")}`);
  if (result.same) notes.push("the reference itself is left out");
  if (result.versions.length) notes.push(`${plural(result.versions.length, "version")} of it left out: ${result.versions.map(versionTitle).join(", ")}`);
  const judged = (request.alike?.length ?? 0) + (request.unlike?.length ?? 0);
  if (judged) notes.push(`moved by ${plural(judged, "answer")}`);
  if (result.share < 1) notes.push(`only ${Math.floor(100 * result.share)} % of the library: a machine of the cluster is down`);
  if (partial) notes.push("analysing the rest …");
  showStatus(hits.length || result.searched ? notes.join(" · ") : reasonForNoHits());
}

/** Why there are no hits, and what to do. */
function reasonForNoHits() {
  const count = library.counts[kind] ?? 0;
  if (!count) return `this library has no ${KIND_PLURALS[kind]}; index a folder that has some: soundalike index FOLDER`;
  $("clear-filters").hidden = !filters.any();
  return filters.any() ? `none of ${plural(count, kind)} matches these filters` : "there is nothing else to compare with";
}

async function listLibrary() {
  const { path, ...others } = filters.parsed(kind);
  const signal = search.clear(questions.current);
  const facets = kind === "one-shot";
  const { items, total, classes } = await api.items({ ...others, text: path ?? "", limit: LISTED, facets }, signal);
  $("hits-heading").textContent = "Library";
  filters.showClasses(classes, updateSoon);
  showHits(items.map(asHit), { keepScroll: false });
  storeState({ fresh: false });
  firstRun.show({ empty: true, shown: !itemCount && library.indexing });
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

// ---- the link and the history ------------------------------------------------------------------------------------------

/** The question whose link the address shows. @type {Question | null} */
let linked = null;

/** @param {{ fresh: boolean }} options */
function storeState({ fresh }) {
  const { current: question } = questions;
  const { sound, region, group } = question;
  const referenceKind = sound?.kind && sound.kind !== sound.naturalKind ? sound.kind : null;
  const state = { reference: sound, region, strips: sliders.strips, kind, part: chosenPart, referenceKind, group, filters: filters.read() };
  const hash = toLink(state);
  if (hash === location.hash && linked === question) return;
  // A new reference is a step that the back button leaves; everything else changes the present one.
  if (linked && linked !== question && linked.sound && !fresh) history.pushState(null, "", hash);
  else history.replaceState(null, "", hash);
  const step = linked !== question;
  linked = question;
  if (sound) trail.put({ label: sound.name, hash }, { fresh: step });
}

/** Restores what the page's address describes, except for the reference if one was chosen already. */
async function restoreState() {
  const state = fromLink(location.hash, library.parts);
  if (!state) return referenceChosen ? undefined : update();
  sliders.set(state.strips, { silent: true });
  chooseKind(state.kind);
  chosenPart = state.part;
  filters.write(state.filters);
  if (referenceChosen) return undefined;
  const { item, text, file, upload } = state.reference ?? {};
  linked = null;
  if (item) return takeItem(item, state);
  if (file) return takeUpload(upload ?? "unknown", file, state);
  if (text && library.text) {
    inputById("text").value = text;
    return takeText(text);
  }
  return questions.open(async () => new Question());
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
  "copy-path": () => copyPaths(list.selection.length ? list.selection : current ? [current] : []),
  reveal,
  download: (hit) => download(list.selected.size ? list.selection : [hit], whatIsTaken(hit)),
};

/**
 * What is taken away of a hit: of a song, whatever the menu says; of the others the file.
 * @param {Hit} hit
 */
const whatIsTaken = ({ item, score }) => (item.kind === "song" && score !== null ? selectById("taken").value : "file");

/** @param {string} name */
const onCurrent = (name) => () => {
  const hit = current;
  if (hit) run(() => actions[name](hit));
};

/** @param {Side} side */
const switchTo = (side) => () => (player.side === side && player.playing ? undefined : player.switchSide(side));

function listenToButtons() {
  /**
   * @param {string} id
   * @param {() => unknown} action
   */
  const onClick = (id, action) => $(id).addEventListener("click", () => run(action));
  onClick("play-reference", () => (player.playing && player.side === "reference" ? player.pause() : player.play("reference", playFrom())));
  onClick("reset-weights", () => {
    profileMenu.clear();
    chosenPart = null;
    sliders.setValues(Object.fromEntries(library.parts.map((name) => [name, 0.5])));
    return update({ fresh: false });
  });
  for (const id of ["favourites-only", "versions-shown"]) {
    onClick(id, () => {
      setPressed($(id), $(id).getAttribute("aria-pressed") !== "true");
      return update();
    });
  }
  onClick("clear-filters", () => {
    filters.clear();
    return update();
  });
  onClick("link", () => copy(location.href, "the link is"));
  onClick("help-open", showHelp);
  onClick("map-open", () => map.toggle());
  onClick("toggle", () => player.toggle());
  onClick("side-reference", switchTo("reference"));
  onClick("side-hit", switchTo("hit"));
  onClick("side-both", switchTo("both"));
  onClick("to-key", () => {
    transposed = !transposed;
    setPressed($("to-key"), transposed);
    const playing = player.playing && player.side === "both";
    setTogether();
    return playing ? player.play("both") : undefined;
  });
  onClick("loop", () => player.toggleLoop());
  onClick("notice-reload", reloadLibrary);
  for (const id of Object.keys(actions)) $(id).addEventListener("click", onCurrent(id));
  $("kind").addEventListener("change", (event) => {
    kind = /** @type {Kind} */ (/** @type {HTMLInputElement} */ (event.target).value);
    run(update);
  });
  $("filters").addEventListener("submit", (event) => event.preventDefault());
  for (const id of FILTERS) $(id).addEventListener("input", updateSoon);
  const menu = selectById("export");
  menu.addEventListener("change", () => {
    const format = /** @type {"m3u8" | "csv" | "json" | ""} */ (menu.value);
    menu.value = "";
    if (format) run(() => exportHits(format, list.selected.size ? list.selection : list.hits));
  });
  for (const button of document.querySelectorAll("#columns button")) {
    button.addEventListener("click", () => {
      list.sortBy(/** @type {import("./hits/sorting.js").Column} */ (/** @type {HTMLElement} */ (button).dataset.column));
      showOrder();
    });
  }
  onClick("selection-clear", () => list.clearSelection());
  onClick("selection-star", async () => {
    for (const hit of list.selection) if (!hit.item.favourite) await star(hit);
  });
  window.addEventListener("popstate", () => {
    referenceChosen = false;
    run(restoreState);
  });
}

/** Shows on the heads of the columns what the list is ordered by. */
function showOrder() {
  for (const button of document.querySelectorAll("#columns button")) {
    const { column } = /** @type {HTMLElement} */ (button).dataset;
    const { order } = list;
    const sign = order?.column !== column ? "" : order?.descending ? " ▾" : " ▴";
    button.querySelector("i")?.replaceChildren(sign);
  }
}

/** Where the reference starts to play: where the waveform was left by keys, else from its start. */
const playFrom = () => (document.activeElement === $("wave-box") ? reference.view.cursor : null);

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
    a: () => run(() => (player.sources.both ? player.switchSide("both") : showStatus($("side-both").title))),
    b: () => run(() => player.switchSide()),
    l: () => player.toggleLoop(),
    f: onCurrent("favourite"),
    "+": onCurrent("alike"),
    "=": onCurrent("alike"),
    "-": onCurrent("not-alike"),
    x: onCurrent("compare"),
    1: () => feedback.chooseCloser("a"),
    2: () => feedback.chooseCloser("b"),
    Escape: () => {
      feedback.cancelComparison();
      if (list.selected.size) list.clearSelection();
    },
    s: () => list.hit && list.select(list.hit),
    u: () => feedback.undo(),
    r: onCurrent("as-reference"),
    c: onCurrent("copy-path"),
    e: () => library.reveal && onCurrent("reveal")(),
    d: onCurrent("download"),
    m: () => map.toggle(),
    "?": showHelp,
  });
}

// ---- the library -------------------------------------------------------------------------------------------------------

function showLibrary() {
  const { counts, name, encoder, separator } = library;
  const present = /** @type {Kind[]} */ (Object.keys(KIND_PLURALS)).filter((one) => counts[one]);
  itemCount = present.reduce((sum, one) => sum + (counts[one] ?? 0), 0);
  $("library").textContent = `${name}: ${present.map((one) => plural(counts[one] ?? 0, one)).join(", ") || "empty"}`;
  $("add-folder").hidden = !library.indexing || !itemCount;
  $("library").title = `encoder ${encoder}, separator ${separator}`;
  feedback.showCount(library.answers ?? 0);
}

/** Reloads the library, which has changed. */
async function reloadLibrary() {
  library = await api.library();
  showLibrary();
  firstRun.show({ empty: false, shown: false });
  map.forget();
  $("notice").hidden = true;
  return update({ fresh: false });
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
    onBack: () => {
      $("notice").hidden = true;
      // What failed while the server was away is asked again.
      if ($("status").classList.contains("problem")) run(() => update({ fresh: false }));
    },
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
  sliders = new Sliders($("sliders"), {
    parts,
    onMove: () => (part() ? showParts() : search.rerank(sliders.weights, library.spread)),
    onRelease: () => {
      profileMenu.clear();
      updateSoon();
    },
    onHear: (name) => {
      const heard = name === "mix" ? "" : name;
      const { solo } = questions.current;
      if (player.playing && player.side === "reference" && solo === heard) return player.pause();
      return reference.soloStem(heard);
    },
    onCompare: (name) => {
      chosenPart = chosenPart === name ? null : name;
      run(update);
    },
  });
  reference = new Reference({
    question: () => questions.current,
    onChange: () => {
      setTogether();
      updateSoon();
    },
    onSource: (play) => {
      player.set("reference", reference.source);
      showPlayer();
      if (play) run(() => player.play("reference"));
    },
    onSeek: (second, play) => {
      if (play || (player.playing && player.side === "reference")) run(() => player.play("reference", second));
    },
    onGroup: () => {
      if (questions.current.group !== null) chooseKind(kind === "loop" ? "loop" : "one-shot");
      setTogether();
      run(update);
      showView("results");
    },
    onHear: (group) => run(() => hearOnset(group)),
    onFilter: (name, text) => {
      inputById(name).value = text;
      run(update);
    },
    onKind: () => {
      chooseKind(questions.current.sound?.kind ?? "song");
      questions.current.group = null;
      reference.onSource(false);
      setTogether();
      run(update);
    },
  });
  profileMenu = new ProfileMenu({ profiles, spread, sliders, onChange: () => run(() => update({ fresh: false })) });
  map = new MapPanel({
    parts,
    kind: () => kind,
    hits: () => (questions.current.sound ? list.hits.map((hit) => hit.item.id) : []),
    onReference: (id) => run(() => takeItem(id)),
    onPlay: (id) => run(() => playItem(id)),
    onPause: () => run(() => player.toggle()),
    onSelect: (ids) => run(() => listItems(ids)),
  });
}

/**
 * Plays the loudest onset of a group as it is in the song.
 * @param {number} group
 */
async function hearOnset(group) {
  const { onsets } = questions.current;
  const start = onsets?.groups[group]?.starts[0];
  if (start === undefined) return;
  await player.play("reference", Math.max(0, start - 0.005));
}

/**
 * Lists the items that were encircled on the map.
 * @param {string[]} ids
 */
async function listItems(ids) {
  const hits = new Map(list.hits.map((hit) => [hit.item.id, hit]));
  const chosen = await Promise.all(ids.slice(0, LISTED).map(async (id) => hits.get(id) ?? asHit(await api.item(id))));
  showHits(chosen.sort((a, b) => (b.score ?? -9) - (a.score ?? -9)), { keepScroll: false });
  showStatus(`${plural(ids.length, "sound")} encircled on the map`);
}

async function start() {
  library = await api.library();
  firstRun = new FirstRun(() => run(reloadLibrary));
  makeControls(library.profiles.length ? await api.profiles() : []);
  $("by-text").hidden = !library.text;
  selectById("taken").append(...library.parts.filter((name) => name !== "mix").map((name) => new Option(`${name} of them`, name)));
  showLibrary();
  listenToButtons();
  listenToKeys();
  listenToViews((view) => view === "map" && !map.shown && map.toggle());
  showCurrent();
  setTogether();
  if (library.indexing) firstRun.follow().catch(() => {});
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
  takeDrop: whenReady(takeDrop),
  takeFile: whenReady(takeFile),
  takeItem: whenReady((/** @type {string} */ id) => takeItem(id)),
  takeText: whenReady(takeText),
  onRecord: async () => {
    await ready;
    player.pause();
  },
});
run(async () => {
  await ready;
  await restoreState();
});
