// Asks the server, shows what it says, and orders what it sent anew while a slider moves.

import * as api from "./api.js";
import { effective, packed, ranked } from "./rank.js";

const EXACT = 200; // hits that the server orders where the page has candidates for the rest
const CANDIDATES = 2000;
const FEW = 3; // windows of a long song that answer first
const LONG = 45; // s; shorter songs are answered whole at once

export class Search {
  // shown(hits, found, {first, fresh}): an answer is there; provisional(hits): an order by the page.
  constructor({ shown, provisional, busy }) {
    Object.assign(this, { shown, provisional, busy, packing: null, asking: null });
  }

  // Ends what is being asked; the signal of what is asked next.
  stop() {
    this.asking?.abort();
    this.asking = new AbortController();
    return this.asking.signal;
  }

  forget() {
    this.stop();
    this.packing = null;
    this.busy(false);
  }

  // reference: a `Reference`; weights: {part: share}, or null where `part` alone counts; profile: in place of both.
  async ask({ reference, weights, part, profile, filters, fresh }) {
    const asked = { ...reference.asked, filters, n: CANDIDATES };
    const { region, now } = reference;
    if (region) asked.region = region;
    if (profile) asked.profile = profile;
    else if (part) asked.part = part;
    else if (!now.text) asked.weights = weights;
    if (asked.weights || profile) Object.assign(asked, { n: EXACT, candidates: CANDIDATES });
    const signal = this.stop();
    this.busy(true);
    try {
      if (now.upload && !region && !reference.complete && now.duration > LONG) {
        this.take(await api.search({ ...asked, few: FEW }, signal), { first: true, fresh });
        const found = await api.search(asked, signal);
        reference.complete = true;
        this.take(found, { first: false, fresh: false });
      } else {
        const found = await api.search(asked, signal);
        if (!region) reference.complete = true;
        this.take(found, { first: false, fresh });
      }
    } finally {
      if (signal === this.asking.signal) this.busy(false);
    }
  }

  take(found, how) {
    this.packing = found.candidates && packed(found.candidates);
    this.shown(this.packing ? this.merged(found) : found.hits, found, how);
  }

  // The server's exact hits first, the other candidates behind them.
  merged(found) {
    const exact = new Set(found.hits.map((hit) => hit.item.id));
    return [...found.hits, ...ranked(this.packing, found.effective).filter((hit) => !exact.has(hit.item.id))];
  }

  // While a slider moves: the candidates in the order of the new shares.
  rerank(shares, spread) {
    if (!this.packing) return;
    const weights = effective(shares, spread);
    if (Object.keys(weights).length) this.provisional(ranked(this.packing, weights));
  }
}
