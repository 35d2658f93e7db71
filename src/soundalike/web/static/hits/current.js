// The hit at the foot of the page: the last one chosen, in the list or on the map; what is played of it, alone and in the song.

import * as api from "../api.js";
import { $, buttonById, debounce, setPressed } from "../dom.js";
import { fileName } from "../format.js";
import { inTheSong } from "../sound/in_the_song.js";
import { run } from "../status.js";
import { secondsOf } from "./taking.js";

const MATCH_AFTER = 150; // ms after a hit was chosen

/**
 * What the player plays of a hit: its marked seconds, again and again; the matched seconds of a song; all of a loop or one-shot.
 * @param {Hit} hit
 * @returns {AudioSource}
 */
export function sourceOf(hit) {
  const { item, marked, score } = hit;
  const common = { name: fileName(item), loudness: item.loudness, tempo: item.tempo };
  if (marked) {
    const [start, end] = marked;
    const kind = item.kind === "one-shot" ? item.kind : "loop";
    return { ...common, url: api.excerpt({ item: item.id }, start, end), start, end, offset: start, short: true, kind };
  }
  const matched = item.kind === "song" && score !== null;
  const [start, end] = matched ? secondsOf(hit) : [0, item.duration];
  return { ...common, url: api.itemAudio(item.id), start, end, offset: 0, short: item.kind !== "song", kind: item.kind };
}

export class CurrentHit {
  /** @type {Hit | null} */
  hit = null;
  /**
   * What it was found with, which its match is about; another search may have come since.
   * @type {SearchRequest | null}
   */
  asked = null;
  /** Whether A+B transposes loops to the key of the song. */
  transposed = false;

  /**
   * part(): the one that alone is compared; answered(): what the hits were found with; onMatch(region): these seconds of the
   * reference matched the hit, null: none are known any more; onShow(hit): it is shown at the foot.
   * @param {object} options
   * @param {import("../sound/player.js").Player} options.player
   * @param {import("../question.js").Questions} options.questions
   * @param {() => string | null} options.part
   * @param {() => SearchRequest | null} options.answered
   * @param {(match: Region | null) => void} options.onMatch
   * @param {(hit: Hit | null) => void} options.onShow
   */
  constructor({ player, questions, part, answered, onMatch, onShow }) {
    this.player = player;
    this.questions = questions;
    this.part = part;
    this.answered = answered;
    this.onMatch = onMatch;
    this.onShow = onShow;
    this.findMatchSoon = debounce((/** @type {Hit} */ hit) => run(() => this.findMatch(hit)), MATCH_AFTER);
  }

  /**
   * Makes a hit the current one, to be played.
   * @param {Hit} hit
   */
  set(hit) {
    this.hit = hit;
    this.asked = this.answered();
    this.renew();
  }

  /** Prepares the current hit again, after an answer. */
  renew() {
    const { hit } = this;
    if (!hit) return;
    this.player.set("hit", sourceOf(hit));
    this.setTogether();
    this.show();
    this.findMatchSoon(hit);
  }

  /**
   * Follows new hits: the current one keeps its place in the player, with its new seconds and score. If another search has not
   * found it, it stays without its match, which was about the former search.
   * @param {Hit[]} hits
   */
  follow(hits) {
    const { hit } = this;
    const answered = this.answered();
    const same = hit && hits.find(({ item }) => item.id === hit.item.id);
    const had = hit?.match;
    if (same && same !== hit) {
      same.marked = hit.marked;
      this.hit = same;
      this.player.set("hit", sourceOf(same));
    }
    if (same) this.asked = answered;
    else if (hit && this.asked !== answered) hit.match = undefined;
    if (had && !this.hit?.match) this.onMatch(null);
    this.show();
  }

  /** There is no current hit: the former one was of another question. */
  clear() {
    this.hit = this.asked = null;
    this.setTogether();
    this.show();
  }

  show() {
    this.onShow(this.hit);
  }

  /** Prepares A+B: the hit in the song. */
  setTogether() {
    const { hit, player, transposed } = this;
    const question = this.questions.current;
    const source = hit && inTheSong(question, hit, { part: this.part(), transposed });
    player.set("both", typeof source === "string" ? null : source);
    buttonById("side-both").disabled = !player.sources.both;
    $("side-both").title = typeof source === "string" ? source : source ? "Play the hit in the song (A)" : "A+B plays a hit in the song: choose a hit first";
    $("to-key").hidden = !(player.sources.both && hit?.item.kind === "loop" && hit.item.key && question.sound?.key);
  }

  /** Switches on or off whether loops are transposed to the key of the song. */
  toggleKey() {
    this.transposed = !this.transposed;
    setPressed($("to-key"), this.transposed);
    this.setTogether();
  }

  /**
   * Marks seconds of the hit, which are played; null: none.
   * @param {Region | null} marked
   */
  mark(marked) {
    const { hit, player } = this;
    if (!hit) return undefined;
    hit.marked = marked ?? undefined;
    player.set("hit", sourceOf(hit));
    this.show();
    return marked ? player.play("hit") : undefined;
  }

  /**
   * Moves the start or end of the marked seconds to where the player is in the hit.
   * @param {0 | 1} edge
   */
  markEdge(edge) {
    const { hit, player } = this;
    if (!hit || player.side !== "hit") return undefined;
    /** @type {Region} */
    const next = [...(hit.marked ?? /** @type {Region} */ ([0, hit.item.duration]))];
    next[edge] = player.position;
    return next[1] - next[0] >= 0.01 ? this.mark(next) : undefined;
  }

  /**
   * Asks which seconds of the reference matched the hit.
   * @param {Hit} hit
   */
  async findMatch(hit) {
    const question = this.questions.current;
    const request = this.answered();
    if (!request || request !== this.asked || hit.score === null || !question.sound?.url) return;
    const match = hit.match ?? (await api.matched(request, hit, question.signal));
    if (hit !== this.hit || question !== this.questions.current || request !== this.answered()) return;
    hit.match = match;
    this.onMatch([match.start, match.end]);
    this.show();
  }
}
