// The page: the reference at the top, its parts to the left, hits and map to the right, the player at the foot. This module
// connects them: what is asked, what the server answers, and what is heard.

import * as api from "./api.js";
import { Address } from "./address.js";
import { Commands } from "./commands.js";
import { comparisonNote } from "./compared_part.js";
import { $, debounce, inputById, selectById } from "./dom.js";
import { Elapsed } from "./elapsed.js";
import { Feedback } from "./feedback.js";
import * as filters from "./filters.js";
import { FirstRun } from "./first_run.js";
import { keepFocus } from "./focus.js";
import { KIND_PLURALS, plural } from "./format.js";
import { CurrentHit, sourceOf } from "./hits/current.js";
import { List } from "./hits/list.js";
import { taken, whatIsTaken } from "./hits/taking.js";
import { NO_SCALE, scaleOf } from "./hits/why.js";
import { hideNotice, itemCount, showLibrary, watched, watchLibrary } from "./library_status.js";
import { fromLink } from "./link.js";
import { MapPanel } from "./map/panel.js";
import { Opening } from "./opening.js";
import { ProfileMenu } from "./profiles.js";
import { Question, Questions } from "./question.js";
import { Reference } from "./reference.js";
import * as referenceInput from "./reference_input.js";
import { noteOnList, noteOnLong, notesOn, reasonForNoHits } from "./result_notes.js";
import { comingFirst } from "./same_class.js";
import { Search, startsWithFew } from "./search.js";
import { Sliders } from "./sliders.js";
import { Collections } from "./sound_collections.js";
import { Player } from "./sound/player.js";
import { run, showProvisional, showStatus } from "./status.js";
import * as tabStops from "./tab_stops.js";
import { Target } from "./target.js";
import { Transport } from "./transport.js";
import { listenToViews, showView } from "./views.js";
import { rankAlike, silentParts } from "./weights.js";

const PAUSE = 250; // ms without typing or dragging before the server is asked
const LISTED = 500; // items shown while there is no reference

/** @type {Library} */
let library;
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
/** @type {import("./watch.js").Watch | undefined} */
let watch;
/**
 * What the hits were found with.
 * @type {SearchRequest | null}
 */
let answered = null;
/** Whether a reference was chosen, even before the page was ready for it. */
let referenceChosen = false;

const target = new Target();
const address = new Address();

// ---- the current question ----------------------------------------------------------------------------------------------

const questions = new Questions({ onChange: onQuestion, onOpening: (opening) => showBusy({ opening }) });

/** @type {Opening} */
const opening = new Opening({
  questions,
  library: () => library,
  onKind: (kind) => target.choose(kind),
  onRenewed: () => reference.onSource(false),
  onAwaited: () => update(),
});

const elapsed = new Elapsed($("elapsed"));

/** stale: the rows are those of a former question; failed: they are of this one, but what was asked last was not answered. */
const busy = { opening: false, searching: false, stale: false, failed: false };

/** @param {Partial<typeof busy>} changes */
function showBusy(changes) {
  Object.assign(busy, changes);
  $("results").classList.toggle("opening", busy.opening || busy.stale || busy.failed);
  $("results").setAttribute("aria-busy", String(busy.opening || busy.searching));
  elapsed.run(busy.opening || busy.searching);
}

/** Another question is the current one: everything follows it. */
function onQuestion() {
  player.reset();
  answered = null;
  feedback.reset();
  current.clear();
  list.deselect();
  reference.take();
  showView("results");
  outdateRows();
  run(update);
  reference.loadOnsets();
}

/** The rows are those of a former question until the present one is answered. */
function outdateRows() {
  search.forget();
  filters.showSameClass(null);
  showBusy({ stale: true });
}

/** The part that alone is compared now. */
const part = () => target.part(questions.current, library.parts, sliders.weights);

// ---- the player, the list and the chosen hit ---------------------------------------------------------------------------

export const player = new Player({ onState: showPlayer, onTick: showPlayhead, onProblem: (error) => run(() => Promise.reject(error)) });

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
  onChoose: chooseHit,
  onStar: (hit) => run(() => commands.star(hit)),
  marks: (hit) => feedback.marks(hit),
  onSelect: showSelection,
  taken: (hit) => taken(hit, whatIsTaken(hit)),
  onWaveforms: () => transport.draw(), // the chosen hit's may be among them
});

const transport = new Transport({
  player,
  waveforms: list.waveforms,
  onSeek: (second) => run(() => player.play("hit", second)),
  onMark: (marked) => {
    run(() => current.mark(marked));
    list.refresh();
  },
});

const current = new CurrentHit({
  player,
  questions,
  part: () => part(),
  answered: () => answered,
  onMatch: (match) => {
    reference.markMatch(match);
    if (match && !player.hears("reference")) reference.setStart(match[0]);
  },
  onShow: (hit) => transport.show(hit, hit && feedback.marks(hit), library?.reveal),
});

const collections = new Collections({ selection: () => list.selection, onChange: () => update({ fresh: false }) });

/**
 * @param {Hit} hit
 * @param {boolean} play
 */
function chooseHit(hit, play) {
  current.set(hit);
  feedback.onChosen(hit);
  const next = list.hits[list.chosen + 1];
  if (next) player.prefetch(sourceOf(next));
  if (play) run(() => player.play(player.side === "both" && player.sources.both ? "both" : "hit"));
}

/** Shows how many hits are selected, and what can be done with them. */
function showSelection() {
  const { size } = list.selected;
  $("selection").hidden = !size;
  $("selection-count").textContent = `${plural(size, "hit")} selected`;
  if (size) collections.showActions();
}

function refreshHits() {
  list.refresh();
  current.show();
}

/**
 * @param {Hit[]} hits
 * @param {{ keepScroll?: boolean }} [options]
 */
function showHits(hits, options) {
  list.show(hits, options);
  current.follow(hits);
  map?.draw();
}

function showPlayer() {
  transport.showPlayer();
  const heard = player.isOn("reference");
  reference?.showPlaying(heard);
  const { sound, isClip, solo } = questions.current;
  sliders?.showHeard(sound?.url && !isClip ? solo : null, heard);
  showPlayhead();
}

function showPlayhead() {
  const { heard } = player;
  list.showPlayhead(heard?.voice === "hit" ? heard.playback.position : null);
  reference?.view.showPlayhead(heard && heard.voice !== "hit" ? heard.playback.position : null);
  transport.draw();
}

// ---- searching ---------------------------------------------------------------------------------------------------------

const search = new Search({
  onBusy: (searching) => showBusy({ searching }),
  onResult: showResult,
  onProvisional: (hits) => {
    list.scale = NO_SCALE; // the last answer's is of other weights
    showHits(hits);
    showProvisional();
  },
  onForgotten: (question, signal) => opening.renew(question, signal),
});

/**
 * Searches, or lists the library while there is no reference. fresh: a new search, whose hits are shown from the top.
 * @param {{ fresh?: boolean }} [options]
 * @returns {Promise<void>}
 */
async function update(options) {
  try {
    await compare(options);
  } catch (error) {
    if (!api.isAbort(error)) showUnanswered(error);
    throw error;
  }
}

/**
 * Takes away rows that are no answer to the present question: those of a former one, and those for which the server has nothing
 * in their place (a silent region). Others are dimmed until the next answer.
 * @param {unknown} error
 */
function showUnanswered(error) {
  const refused = error instanceof api.ApiError && error.status !== null && error.status < 500;
  if (!busy.stale && !refused) return showBusy({ failed: true });
  search.forget();
  answered = null;
  filters.showSameClass(null);
  showBusy({ stale: false, failed: false });
  return showHits([], { keepScroll: false });
}

/** @param {{ fresh?: boolean }} [options] */
async function compare({ fresh = true } = {}) {
  updateSoon.cancel();
  showParts();
  reference.showChips();
  $("clear-filters").hidden = true;
  const question = questions.current;
  showSilence(question);
  if (!question.sound) return listLibrary();
  const alone = part();
  const { weights } = sliders;
  if (!alone && !target.comparesOnsets(question) && !question.sound.text && !Object.keys(weights).length) {
    search.clear(question);
    throw new Error("all parts are at zero or muted, so that nothing is compared; move at least one slider");
  }
  storeState();
  const { kind } = target;
  if (busy.stale) showStatus(startsWithFew(question) && !target.comparesOnsets(question) ? noteOnLong(question.sound) : `comparing with ${plural(library.counts[kind] ?? 0, kind)} …`);
  const profile = alone ? null : profileMenu.name;
  const { versions, sameClass } = filters.read();
  return search.run({ question, weights, part: alone, profile, filters: filters.parsed(kind), kind, versions, sameClass, fresh });
}

/**
 * Which parts are silent in a reference (and region).
 * @type {{ reference: string, parts: string[] }}
 */
let silence = { reference: "", parts: [] };

/**
 * Shows on the strips which parts are known to be silent in the reference: none before an answer about it.
 * @param {Question} question
 * @param {SearchResult} [answer]
 */
function showSilence({ id, region, sound }, answer) {
  const reference = JSON.stringify([id, region, sound?.kind]);
  if (silence.reference !== reference) silence = { reference, parts: [] };
  if (answer) silence.parts = silentParts(silence.parts, answer);
  sliders.showSilent(silence.parts);
}

const updateSoon = debounce(() => run(() => update({ fresh: false })), PAUSE);

/** Shows on the strips what is compared. */
function showParts() {
  const alone = part();
  const { current: question } = questions;
  const kinds = KIND_PLURALS[target.kind];
  if (target.comparesOnsets(question)) {
    sliders.showCompared("drums", { chosen: true, selectable: false });
    $("part-note").textContent = `The hits of the chosen pad are compared with ${kinds}.`;
  } else {
    const chosen = target.chosenPart !== null;
    sliders.showCompared(alone, { chosen, selectable: Boolean(alone) && !(question.isClip && target.kind !== "song") });
    $("part-note").textContent = comparisonNote(question, alone, kinds, target.chosenPart);
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
  showBusy({ stale: false, failed: false });
  $("hits-heading").textContent = "Hits";
  list.scale = scaleOf(result);
  if (!partial && !request.onsets) {
    showSilence(questions.current, result); // a part may sound outside a few windows
    if (request.weights && !rankAlike(request.weights, sliders.weights, result.silent)) updateSoon(); // a lock is a share of those that sound
  }
  showHits(hits, { keepScroll: !fresh });
  if (fresh && request.onsets && hits.length) list.choose(0, false); // so that A plays it in the song at once
  else current.renew();
  filters.showClasses(result.classes, updateSoon);
  const first = comingFirst(result, request, target.kind);
  filters.showSameClass(first);
  $("weighting-note").textContent = request.profile ? result.weighting : "";
  if (partial && result.windows.length && !current.hit) reference.setStart(result.windows[0][0]);
  if (hits.length || result.searched) showStatus(notesOn(result, request, { kind: target.kind, partial, first: result.class_preferred ? first : null }));
  else showNoHits();
}

/** Shows why there are no hits, and offers to clear the filters. */
function showNoHits() {
  const count = library.counts[target.kind] ?? 0;
  $("clear-filters").hidden = !count || !filters.any();
  showStatus(reasonForNoHits(target.kind, count, filters.any()));
}

async function listLibrary() {
  const { kind } = target;
  const { path, ...others } = filters.parsed(kind);
  const signal = search.clear(questions.current);
  const { items, total, classes } = await api.items({ ...others, text: path ?? "", limit: LISTED, facets: kind === "one-shot" }, signal);
  showBusy({ stale: false, failed: false });
  $("hits-heading").textContent = "Library";
  filters.showClasses(classes, updateSoon);
  filters.showSameClass(null);
  showHits(items.map(asHit), { keepScroll: false });
  storeState();
  const empty = !itemCount(library);
  // The form to add a folder stays open where it was opened while the list loaded.
  if (empty || firstRun.empty) firstRun.show({ empty, shown: empty && library.indexing });
  if (empty) showStatus("the library is empty; add music: soundalike index FOLDER");
  else if (!total) showNoHits();
  else showStatus(noteOnList(kind, items.length, total));
}

/**
 * An item without a search.
 * @param {Item} item
 * @returns {Hit}
 */
const asHit = (item) => ({ item, start: 0, end: item.duration, score: null, contributions: {} });

// ---- the address -------------------------------------------------------------------------------------------------------

function storeState() {
  const { kind, chosenPart } = target;
  address.store(questions.current, { strips: sliders.strips, kind, part: chosenPart, filters: filters.read() });
}

/** Restores what the page's address describes, except for the reference if one was chosen already. */
async function restoreState() {
  const state = fromLink(location.hash, library.parts);
  if (!state) {
    if (referenceChosen) return undefined;
    chooseFilledKind();
    return update();
  }
  sliders.set(state.strips, { silent: true });
  target.choose(state.kind);
  target.chosenPart = state.part;
  filters.write(state.filters);
  if (referenceChosen) return undefined;
  const { item, text, file, upload } = state.reference ?? {};
  address.follow();
  if (item) return opening.takeItem(item, state);
  if (file) return opening.takeUpload(upload ?? "unknown", file, state);
  if (text && library.text) {
    inputById("text").value = text;
    return opening.takeText(text);
  }
  return questions.open(async () => new Question());
}

// ---- the library and the map -------------------------------------------------------------------------------------------

/** @param {Library} described */
function takeLibrary(described) {
  library = described;
  showLibrary(library);
  watch?.take(watched(library));
  collections.show(library.collections);
  feedback.showCount(library.answers ?? 0);
}

/** Before anything is searched, a library of one-shots and loops alone shows these, not that it has no songs. */
function chooseFilledKind() {
  const kinds = /** @type {Kind[]} */ (Object.keys(KIND_PLURALS));
  const filled = kinds.find((kind) => library.counts[kind]);
  if (filled && !library.counts[target.kind]) target.choose(filled);
}

/** Reloads the library, which has changed. */
async function reloadLibrary() {
  takeLibrary(await api.library());
  if (!questions.current.sound) chooseFilledKind();
  if (itemCount(library)) firstRun.show({ empty: false, shown: false }); // else its form is still needed
  map.forget();
  hideNotice();
  reference.renewOnsets();
  return update({ fresh: false });
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
  current.set(asHit(item));
  return player.play("hit");
}

/**
 * Lists the items that were encircled on the map.
 * @param {string[]} ids
 */
async function listItems(ids) {
  const hits = new Map(list.hits.map((hit) => [hit.item.id, hit]));
  const chosen = await Promise.all(ids.slice(0, LISTED).map(async (id) => hits.get(id) ?? asHit(await api.item(id))));
  showHits(chosen.sort((a, b) => (b.score ?? -9) - (a.score ?? -9)), { keepScroll: false });
  showView("results");
  showStatus(`${plural(ids.length, "sound")} in the lasso on the map`);
}

// ---- start -------------------------------------------------------------------------------------------------------------

const makeSliders = () =>
  new Sliders($("sliders"), {
    parts: library.parts,
    onMove: () => (part() ? showParts() : search.rerank(sliders.weights, library.spread)),
    onRelease: () => {
      profileMenu.clear();
      updateSoon();
    },
    onHear: (name) => {
      const heard = name === "mix" ? "" : name;
      if (player.isOn("reference") && questions.current.solo === heard) return player.pause();
      return reference.soloStem(heard);
    },
    onCompare: (name) => {
      target.togglePart(name);
      run(update);
    },
  });

const makeReference = () =>
  new Reference({
    question: () => questions.current,
    onChange: () => {
      current.setTogether();
      updateSoon();
    },
    onSource: (play) => {
      player.set("reference", reference.source);
      player.set("stroke", reference.strokeSource);
      showPlayer();
      if (play) run(() => player.play("reference"));
    },
    onSeek: (second, play) => {
      if (play || player.isOn("reference")) run(() => player.play("reference", second));
    },
    onGroup: () => {
      if (questions.current.group !== null) target.choose(target.kind === "loop" ? "loop" : "one-shot");
      current.setTogether();
      run(update);
      showView("results");
    },
    onHear: () => {
      player.set("stroke", reference.strokeSource);
      run(() => player.play("stroke"));
    },
    onFilter: (name, text) => {
      inputById(name).value = text;
      run(update);
    },
    onKind: () => {
      target.choose(questions.current.sound?.kind ?? "song");
      reference.onSource(false);
      current.setTogether();
      run(update);
    },
  });

const makeMap = () =>
  new MapPanel({
    parts: library.parts,
    kind: () => target.kind,
    hits: () => (questions.current.sound ? list.hits.map((hit) => hit.item.id) : []),
    onReference: (id) => run(() => opening.takeItem(id)),
    onPlay: (id) => run(() => playItem(id)),
    onPause: () => run(() => player.toggle()),
    onSelect: (ids) => run(() => listItems(ids)),
  });

function resetWeights() {
  profileMenu.clear();
  target.chosenPart = null;
  sliders.setValues(Object.fromEntries(library.parts.map((name) => [name, 0.5])));
  return update({ fresh: false });
}

/** @type {Commands} */
let commands;

const makeCommands = () =>
  new Commands({
    list,
    current,
    player,
    feedback,
    map,
    collections,
    update,
    updateSoon,
    takeItem: (id) => opening.takeItem(id),
    resetWeights,
    reloadLibrary,
    canReveal: () => library.reveal,
    // where the waveform was left by keys
    playFrom: () => (document.activeElement === $("wave-box") ? reference.view.cursor : null),
    goTo: tabStops.listen(),
  });

async function start() {
  takeLibrary(await api.library());
  firstRun = new FirstRun((note) =>
    run(async () => {
      await reloadLibrary();
      if (note) showStatus(note);
    }),
  );
  const profiles = library.profiles.length ? await api.profiles() : [];
  sliders = makeSliders();
  reference = makeReference();
  profileMenu = new ProfileMenu({ profiles, spread: library.spread, sliders, onChange: () => run(() => update({ fresh: false })) });
  map = makeMap();
  commands = makeCommands();
  $("by-text").hidden = !library.text;
  selectById("taken").append(...library.parts.filter((name) => name !== "mix").map((name) => new Option(`${name} of them`, name)));
  $("kind").addEventListener("change", (event) => {
    target.kind = /** @type {Kind} */ (/** @type {HTMLInputElement} */ (event.target).value);
    outdateRows();
    run(update);
  });
  window.addEventListener("popstate", () => {
    referenceChosen = false;
    run(restoreState);
  });
  listenToViews((view) => view === "map" && !map.shown && map.toggle());
  current.show();
  current.setTogether();
  if (library.indexing) firstRun.follow().catch(() => {});
  watch = watchLibrary(library, () => {
    // What failed while the server was away is asked again.
    if ($("status").classList.contains("problem")) run(() => update({ fresh: false }));
  });
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

keepFocus($("list"));
// At once: a file may be chosen or dropped before the library is known.
referenceInput.listen({
  takeDrop: whenReady((/** @type {Parameters<Opening["takeDrop"]>[0]} */ contents) => opening.takeDrop(contents)),
  takeFile: whenReady((/** @type {File} */ file) => opening.takeFile(file)),
  takeItem: whenReady((/** @type {string} */ id) => opening.takeItem(id)),
  takeText: whenReady((/** @type {string} */ text) => opening.takeText(text)),
  onRecord: async () => {
    await ready;
    player.pause();
  },
});
run(async () => {
  await ready;
  await restoreState();
});
