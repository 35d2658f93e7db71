// The current question: a reference and all that belongs to it, which ends when another one takes its place.

/**
 * A sound or text that is asked about, the seconds of it, and what was found. Everything that is requested for it ends with its
 * signal.
 */
export class Question {
  controller = new AbortController();
  searching = new AbortController();
  /** @type {ReferenceSound | null} */
  sound = null;
  /** @type {[number, number][]} */
  peaks = [];
  /** @type {Region | null} */
  region = null;
  /** The stem that is heard alone; "": all of it. */
  solo = "";
  /** The second at which it starts to play where no region is selected: the start of its most representative window. */
  start = 0;
  /** Whether the server has analysed all windows of it. */
  analysed = false;
  /**
   * The onsets of a part; null: not known yet.
   * @type {Onsets | null}
   */
  onsets = null;
  /**
   * The group of onsets that is compared; null: none.
   * @type {number | null}
   */
  group = null;
  /**
   * The listener's answers about hits, by item.
   * @type {Map<string, "alike" | "not alike">}
   */
  answers = new Map();

  /**
   * @param {ReferenceSound | null} [sound]
   * @param {[number, number][]} [peaks]
   */
  constructor(sound = null, peaks = []) {
    this.sound = sound;
    this.peaks = peaks;
  }

  get signal() {
    return this.controller.signal;
  }

  /** Ends the search that is under way; returns the signal of the next one. */
  restartSearch() {
    this.searching.abort();
    this.searching = new AbortController();
    return AbortSignal.any([this.signal, this.searching.signal]);
  }

  /** Ends all that was requested for it. */
  end() {
    this.controller.abort();
  }

  /**
   * How the reference is named in requests.
   * @returns {ReferenceId}
   */
  get id() {
    const { upload, item, text } = this.sound ?? {};
    if (upload) return { upload };
    return item ? { item } : { text };
  }

  /** Whether it is a loop or a one-shot, which is compared as a whole. */
  get isClip() {
    return Boolean(this.sound && !this.sound.text && this.sound.kind !== "song");
  }
}

/** The current question, and at most one attempt to open another: it fails or succeeds as a whole. */
export class Questions {
  current = new Question();
  /** @type {AbortController | null} */
  opening = null;

  /**
   * onChange: another question is the current one; onOpening: an attempt to open one has begun or ended.
   * @param {object} options
   * @param {(question: Question) => void} options.onChange
   * @param {(opening: boolean) => void} options.onOpening
   */
  constructor({ onChange, onOpening }) {
    this.onChange = onChange;
    this.onOpening = onOpening;
  }

  /**
   * Opens the question that `load` returns. Until then, and for good if it fails, the current one stays. A later attempt ends
   * an earlier one, which throws an AbortError.
   * @param {(signal: AbortSignal) => Promise<Question>} load
   */
  async open(load) {
    this.opening?.abort();
    const attempt = new AbortController();
    this.opening = attempt;
    this.onOpening(true);
    try {
      const next = await load(attempt.signal);
      attempt.signal.throwIfAborted();
      this.current.end();
      this.current = next;
    } finally {
      if (this.opening === attempt) {
        this.opening = null;
        this.onOpening(false);
      }
    }
    this.onChange(this.current);
  }
}
