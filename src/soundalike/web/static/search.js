// Searches for the current question, and ranks the candidates that the server returns again while a slider moves.

import * as api from "./api.js";
import { effective, packed, ranked } from "./rank.js";

const EXACT = 200; // hits ranked by the server where the page has candidates for the rest
const CANDIDATES = 2000;
const FEW = 3; // windows of a long upload that are used for a first result
const VERSION_SHARES = { loose: 0.3, strict: 0.9 }; // of the shorter song, in common with the other
const LONG = 45; // s; shorter uploads are searched with all windows at once

/**
 * weights: null where `part` alone is compared or a `profile` is used; versions: how other versions of a song are
 * folded; sameClass: whether one-shots of the reference's class come first; fresh: a new search, to be shown from its top.
 * @typedef {object} SearchOptions
 * @property {import("./question.js").Question} question
 * @property {ByPart | null} weights
 * @property {string | null} part
 * @property {string | null} profile
 * @property {Filters} filters
 * @property {Kind} kind
 * @property {FilterTexts["versions"]} [versions]
 * @property {FilterTexts["sameClass"]} [sameClass]
 * @property {boolean} fresh
 *
 * partial: only some windows of the reference were used; a result with all of them follows; request: what was asked.
 * @typedef {{ partial: boolean, fresh: boolean, request: SearchRequest }} ResultInfo
 */

/**
 * What is sent for a search.
 * @param {SearchOptions} options
 * @returns {SearchRequest}
 */
export function requestOf({ question, weights, part, profile, filters, kind, versions, sameClass }) {
  const { region, sound, group, onsets } = question;
  /** @type {SearchRequest} */
  const request = { ...question.id, filters, n: CANDIDATES };
  if (kind === "one-shot") request.facets = true;
  if (kind === "one-shot" && sameClass === "ignore") request.same_class = sameClass;
  if (versions === "show") request.versions = "show";
  else if (versions) request.version_share = VERSION_SHARES[versions];
  if (!sound?.text) {
    for (const [name, answer] of /** @type {const} */ ([["alike", "alike"], ["unlike", "not alike"]])) {
      const ids = [...question.answers].filter(([, one]) => one === answer).map(([id]) => id);
      if (ids.length) request[name] = ids;
    }
  }
  if (kind !== "song" && group !== null) return { ...request, onsets: { part: onsets?.part ?? "drums", group } };
  if (region) request.region = region;
  if (sound?.kind && sound.kind !== sound.naturalKind) request.kind = sound.kind;
  if (profile) request.profile = profile;
  else if (part) request.part = part;
  else if (!sound?.text && weights) request.weights = weights;
  if (request.weights || profile) Object.assign(request, { n: EXACT, candidates: CANDIDATES });
  return request;
}

/**
 * Whether a question is first answered with a few windows: a long upload whose windows are not known yet.
 * @param {import("./question.js").Question} question
 */
export const startsWithFew = ({ sound, region, analysed }) =>
  Boolean(sound?.upload && !region && !analysed && sound.duration > LONG && (!sound.kind || sound.kind === sound.naturalKind));

export class Search {
  /** @type {import("./rank.js").PackedCandidates | null} */
  candidates = null;

  /**
   * onResult: the server has answered; onProvisional: the page has ranked the candidates again; onForgotten: the server no longer
   * has the upload, which is sent again.
   * @param {object} handlers
   * @param {(hits: Hit[], result: SearchResult, info: ResultInfo) => void} handlers.onResult
   * @param {(hits: Hit[]) => void} handlers.onProvisional
   * @param {(busy: boolean) => void} handlers.onBusy
   * @param {(question: import("./question.js").Question, signal: AbortSignal) => Promise<boolean>} handlers.onForgotten
   */
  constructor({ onResult, onProvisional, onBusy, onForgotten }) {
    this.onResult = onResult;
    this.onProvisional = onProvisional;
    this.onBusy = onBusy;
    this.onForgotten = onForgotten;
  }

  /** Forgets the candidates of the last answer: moving a slider has nothing to rank. */
  forget() {
    this.candidates = null;
  }

  /** @param {import("./question.js").Question} question */
  clear(question) {
    const signal = question.restartSearch();
    this.forget();
    this.onBusy(false);
    return signal;
  }

  /** @param {SearchOptions} options */
  async run(options) {
    const { question } = options;
    const signal = question.restartSearch();
    this.onBusy(true);
    try {
      await this.ask(options, signal);
    } catch (error) {
      if (!isForgotten(error) || !(await this.onForgotten(question, signal))) throw error;
      await this.ask(options, signal);
    } finally {
      if (!signal.aborted) this.onBusy(false);
    }
  }

  /**
   * @param {SearchOptions} options
   * @param {AbortSignal} signal
   */
  async ask(options, signal) {
    const { question } = options;
    const { region } = question;
    const request = requestOf(options);
    let { fresh } = options;
    if (startsWithFew(question) && !request.onsets) {
      const first = await api.search({ ...request, few: FEW }, signal).catch(unlessRefused);
      signal.throwIfAborted();
      if (first) {
        this.show(first, { partial: true, fresh, request });
        fresh = false;
      }
    }
    const result = await api.search(request, signal);
    signal.throwIfAborted();
    if (!region && !request.onsets) question.analysed = true;
    this.show(result, { partial: false, fresh, request });
  }

  /**
   * @param {SearchResult} result
   * @param {ResultInfo} info
   */
  show(result, info) {
    this.candidates = result.candidates && packed(result.candidates);
    this.onResult(this.candidates ? this.merged(result, this.candidates) : result.hits, result, info);
  }

  /**
   * The server's exact hits, then the other candidates.
   * @param {SearchResult} result
   * @param {import("./rank.js").PackedCandidates} candidates
   */
  merged(result, candidates) {
    const exact = new Set(result.hits.map((hit) => hit.item.id));
    return [...result.hits, ...ranked(candidates, result.effective).filter((hit) => !exact.has(hit.item.id))];
  }

  /**
   * Ranks the candidates under new weights.
   * @param {ByPart} weights
   * @param {Record<string, number | null>} spread
   */
  rerank(weights, spread) {
    if (!this.candidates) return;
    const factors = effective(weights, spread);
    if (Object.keys(factors).length) this.onProvisional(ranked(this.candidates, factors));
  }
}

/**
 * A few windows may be refused, since a part does not sound in them, where all windows are not: what holds for all is said then.
 * @param {unknown} error
 */
function unlessRefused(error) {
  if (error instanceof api.ApiError && error.status === 422) return null;
  throw error;
}

/**
 * Whether the server no longer has an upload, since it was restarted or others have taken its place.
 * @param {unknown} error
 */
export const isForgotten = (error) => error instanceof api.ApiError && error.message.includes("no such upload");
