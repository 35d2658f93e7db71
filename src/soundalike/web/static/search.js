// Sends searches to the server, and ranks the candidates that it returns again while a slider moves.

import * as api from "./api.js";
import { effective, packed, ranked } from "./rank.js";

const EXACT = 200; // hits ranked by the server where the page has candidates for the rest
const CANDIDATES = 2000;
const FEW = 3; // windows of a long upload that are used for a first result
const LONG = 45; // s; shorter uploads are searched with all windows at once

/**
 * weights: null where `part` alone is compared or a `profile` is used; fresh: a new search, to be shown from its top.
 * @typedef {object} SearchOptions
 * @property {import("./reference.js").Reference} reference
 * @property {ByPart | null} weights
 * @property {string | null} part
 * @property {string | null} profile
 * @property {Filters} filters
 * @property {boolean} fresh
 *
 * partial: only some windows of the reference were used; a result with all of them follows.
 * @typedef {{ partial: boolean, fresh: boolean }} ResultInfo
 */

export class Search {
  /** @type {import("./rank.js").PackedCandidates | null} */
  candidates = null;
  controller = new AbortController();

  /**
   * onResult: the server has answered; onProvisional: the page has ranked the candidates again.
   * @param {object} handlers
   * @param {(hits: Hit[], result: SearchResult, info: ResultInfo) => void} handlers.onResult
   * @param {(hits: Hit[]) => void} handlers.onProvisional
   * @param {(busy: boolean) => void} handlers.onBusy
   */
  constructor({ onResult, onProvisional, onBusy }) {
    this.onResult = onResult;
    this.onProvisional = onProvisional;
    this.onBusy = onBusy;
  }

  /** Aborts the current request; returns the signal for the next one. */
  restart() {
    this.controller.abort();
    this.controller = new AbortController();
    return this.controller.signal;
  }

  clear() {
    const signal = this.restart();
    this.candidates = null;
    this.onBusy(false);
    return signal;
  }

  /** @param {SearchOptions} options */
  async run({ reference, weights, part, profile, filters, fresh }) {
    const { region, sound } = reference;
    /** @type {SearchRequest} */
    const request = { ...reference.id, filters, n: CANDIDATES };
    if (region) request.region = region;
    if (profile) request.profile = profile;
    else if (part) request.part = part;
    else if (!sound?.text && weights) request.weights = weights;
    if (request.weights || profile) Object.assign(request, { n: EXACT, candidates: CANDIDATES });
    const signal = this.restart();
    this.onBusy(true);
    try {
      if (sound?.upload && !region && !reference.analysed && sound.duration > LONG) {
        this.show(await api.search({ ...request, few: FEW }, signal), { partial: true, fresh });
        fresh = false;
      }
      const result = await api.search(request, signal);
      if (!region) reference.analysed = true;
      this.show(result, { partial: false, fresh });
    } finally {
      if (signal === this.controller.signal) this.onBusy(false);
    }
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
