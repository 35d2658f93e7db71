// Types that several modules of the page share; for the type checker only (`make js-types`), browsers never load it.
// Names in snake_case are fields of the HTTP API (web/schemas).

type Kind = "song" | "loop" | "one-shot";
type MapKind = Kind | "all";

/** Two seconds of a file: start and end. */
type Region = [number, number];

/** A number for each part, such as weights or contributions. */
type ByPart = Record<string, number>;

// ---- the HTTP API ------------------------------------------------------------------------------------------------------

interface Item {
  id: string;
  /** Path relative to its root. */
  name: string;
  folder: string;
  /** Absolute path. */
  path: string;
  favourite: boolean;
  kind: Kind;
  /** Seconds. */
  duration: number;
  /** LUFS. */
  loudness: number | null;
  /** BPM. */
  tempo: number | null;
  tempo_source: string | null;
  key: string | null;
  key_source: string | null;
  artist: string | null;
  title: string | null;
  file?: string | null;
  offset?: number;
  status: string;
  /** Of a one-shot: kick, snare, ... */
  sound_class?: string | null;
}

/** A hit; where the library is listed without a search, score is null and there are no contributions. */
interface Hit {
  item: Item;
  start: number;
  end: number;
  score: number | null;
  contributions: ByPart;
  copies?: number;
  copy_paths?: string[];
  /** Cut or shifted versions of a song, which are no hits of their own. */
  versions?: Version[];
  /** The seconds of the reference that are most similar to it. */
  match?: { start: number; end: number };
  /** The seconds that were marked by hand. */
  marked?: Region;
}

interface Version {
  id: string;
  /** Absolute path. */
  path: string;
  title: string | null;
  artist: string | null;
  /** Seconds. */
  duration: number;
  score: number;
}

/** Windows that may be the best of their item: [index in items, start, end, cosine of each part]. */
interface Candidates {
  parts: string[];
  items: Item[];
  rows: [number, number, number, number[]][];
}

interface SearchResult {
  hits: Hit[];
  /** As requested. */
  weights: ByPart;
  effective: ByPart;
  weighting: string;
  silent: string[];
  same: number;
  /** Of the reference, left out. */
  versions: Version[];
  searched: number;
  /** How many of them have none of the parts that are compared, and no score. */
  absent: number;
  /** The share of the library that was searched, under 1 while a machine of a cluster is down. */
  share: number;
  windows: Region[];
  /** Of a one-shot as reference: kick, snare, ... */
  sound_class: string | null;
  /** Of the vote, or of the sound, that decided the class; null: its name states it. */
  class_share: number | null;
  /** Whether hits of that class come earlier. */
  class_preferred: boolean;
  /** The one-shots of each class that the other filters admit, of unknown class under "". */
  classes: Record<string, number> | null;
  /** By kind, the scores that 0, 1, ... 100 % of the items stay below. */
  scale: Partial<Record<Kind, number[]>>;
  /** By kind, what two items score with each other. */
  usual: Partial<Record<Kind, { mean: number; deviation: number }>>;
  candidates: Candidates | null;
}

interface Filters {
  kinds: Kind[];
  tempo?: [number | null, number | null] | null;
  duration?: [number | null, number | null] | null;
  key?: string | null;
  path?: string | null;
  favourite?: boolean;
  collection?: string;
  /** Of one-shots. */
  classes?: string[];
}

/** Which sound or text to search with: one of these. */
interface ReferenceId {
  upload?: string;
  item?: string;
  text?: string;
}

interface SearchRequest extends ReferenceId {
  region?: Region;
  weights?: ByPart;
  profile?: string;
  part?: string;
  filters: Filters;
  n: number;
  candidates?: number;
  few?: number;
  kind?: Kind;
  facets?: boolean;
  versions?: "fold" | "show";
  version_share?: number;
  same_class?: "prefer" | "ignore";
  onsets?: { part: string; group: number };
  alike?: string[];
  unlike?: string[];
}

interface Library {
  name: string;
  state: string;
  parts: string[];
  encoder: string;
  separator: string;
  text: boolean;
  counts: Partial<Record<Kind, number>>;
  spread: Record<string, number | null>;
  profiles: string[];
  /** Suffixes of files that can be read. */
  extensions: string[];
  most_bytes: number;
  answers: number;
  /** The number of items of each collection. */
  collections: Record<string, number>;
  reveal: boolean;
  indexing: boolean;
}

interface IndexingState {
  state: "idle" | "running" | "done" | "failed";
  folder: string | null;
  done: number;
  total: number;
  current: string | null;
  found: number;
  added: number;
  skipped: number;
  error: string | null;
}

interface LibraryState {
  state: string;
  items: number;
}

interface Profile {
  name: string;
  weights: ByPart;
  method: string;
  data: string;
  notes: string;
}

/** Lowest and highest sample of equal intervals of a sound. */
interface Peaks {
  duration: number;
  peaks: [number, number][];
}

interface Upload extends Peaks {
  id: string;
  name: string;
  loudness: number | null;
  kind: Kind;
  tempo: number | null;
  tempo_source: string | null;
  key: string | null;
  key_source: string | null;
}

/** Similar onsets: their seconds, and the one-shots that are nearest to them. */
interface OnsetGroup {
  /** The loudest first. */
  starts: number[];
  ends: number[];
  near: Item[];
  /** On which the nearest agree. */
  sound_class: string | null;
}

interface Onsets {
  part: string;
  groups: OnsetGroup[];
}

/** A small picture of a waveform: lowest (-127..0) and highest (0..127) sample of equal intervals. */
interface Overview {
  duration: number;
  low: number[];
  high: number[];
}

interface AnswerKept {
  id: string;
  count: number;
}

interface LibraryMap {
  state: "ready" | "making" | "none";
  progress: number;
  total: number;
  ids: string[];
  x: number[];
  y: number[];
  kind: Kind[];
  tempo: (number | null)[];
  folder: string[];
  names: string[];
  /** Of one-shots, where the library knows them. */
  sound_class: (string | null)[];
}

// ---- the page ----------------------------------------------------------------------------------------------------------

/** The state of a part's slider. locked: the weight that it is locked at. */
interface Strip {
  value: number;
  muted: boolean;
  solo: boolean;
  locked: number | null;
}

/** The reference: an upload, an item or a text. */
interface ReferenceSound extends ReferenceId {
  name: string;
  duration: number;
  url?: string;
  kind?: Kind;
  /** The kind that was estimated or indexed. */
  naturalKind?: Kind;
  loudness?: number | null;
  tempo?: number | null;
  tempo_source?: string | null;
  key?: string | null;
  key_source?: string | null;
  /** The file that was uploaded. */
  file?: File;
}

/** Filters as they are written in their fields. */
interface FilterTexts {
  tempo: string;
  key: string;
  length: string;
  path: string;
  favourite: boolean;
  collection: string;
  classes: string[];
  /** How other versions of a song are folded; "": as usual. */
  versions: "" | "loose" | "strict" | "show";
  /** Whether one-shots of the reference's class come first. */
  sameClass: "prefer" | "ignore";
}

/** What a link restores. file: the name of an uploaded file, upload: its id; if the server has forgotten it, it is sent again or has
 * to be dropped again. */
interface LinkState {
  reference: { item?: string; text?: string; file?: string; upload?: string } | null;
  region: Region | null;
  strips: Record<string, Strip>;
  kind: Kind;
  part: string | null;
  /** What the reference is, where it was changed by hand. */
  referenceKind: Kind | null;
  group: number | null;
  filters: FilterTexts;
}

/** Something that can be played: `url`, from `start` to `end` (s of the whole file); `offset`: where the fetched audio begins in
 * it. short: it is decoded into memory. */
interface AudioSource {
  url: string;
  name: string;
  start: number;
  end: number;
  offset: number;
  loudness: number | null | undefined;
  tempo: number | null;
  short: boolean;
  kind: Kind;
  /** Whether it ends at `end`, though the file goes on. */
  stops?: boolean;
  /** Makes the sound, where there is nothing to fetch: `url` only names it then. */
  render?: (context: AudioContext, signal: AbortSignal) => Promise<AudioBuffer>;
}

/** What is chosen to be heard: A, B, or both. */
type Side = "hit" | "reference" | "both";

/** What can be heard: a side, or a stroke of the song's drums. */
type Voice = Side | "stroke";

interface Playback {
  source: AudioSource;
  readonly playing: boolean;
  readonly position: number;
  load(): Promise<void>;
  start(at: number, repeat: boolean): Promise<void>;
  stop(): void;
  loop(repeat: boolean): void;
  close(): void;
  /** Called for every frame while it plays. */
  update?(): void;
}

/** Marks on a hit. */
interface HitMarks {
  answer: "alike" | "not alike" | null;
  held: boolean;
}

interface Size {
  width: number;
  height: number;
}

/** The part of the map in sight: the point in the middle, and how much it is enlarged. */
interface MapView {
  x: number;
  y: number;
  zoom: number;
}

// ---- what TypeScript does not know -------------------------------------------------------------------------------------

declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}
declare function registerProcessor(name: string, processor: new () => AudioWorkletProcessor): void;
