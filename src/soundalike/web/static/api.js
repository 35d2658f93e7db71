// Requests to the server's HTTP API.

/** A request that failed, with the server's own message. status: null if the server does not answer at all. */
export class ApiError extends Error {
  /**
   * @param {string} message
   * @param {number | null} status
   */
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

/** @param {unknown} error */
export const isAbort = (error) => error instanceof DOMException && error.name === "AbortError";

const unanswered = () => new ApiError("the server does not answer; is `soundalike serve` still running?", null);

/**
 * @param {string} address
 * @param {RequestInit} [options]
 */
async function fetchOk(address, options) {
  let response;
  try {
    response = await fetch(address, options);
  } catch (error) {
    if (isAbort(error)) throw error;
    throw unanswered();
  }
  if (response.ok) return response;
  let message = `the server answered ${response.status}`;
  try {
    message = (await response.json()).detail ?? message;
  } catch {
    // not JSON: the status code has to do
  }
  throw new ApiError(message, response.status);
}

/**
 * @param {string} path
 * @param {RequestInit} [options]
 * @returns {Promise<any>}
 */
async function request(path, options) {
  const response = await fetchOk(`api/${path}`, options);
  return response.status === 204 ? null : response.json();
}

/**
 * @param {string} path
 * @param {object} body
 * @param {AbortSignal} [signal]
 */
const post = (path, body, signal) =>
  request(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body), signal });

const encode = encodeURIComponent;

/** @param {[string, unknown][]} pairs */
const queryString = (pairs) => new URLSearchParams(pairs.map(([name, value]) => [name, String(value)]));

/** @returns {Promise<Library>} */
export const library = () => request("library");

/** @returns {Promise<LibraryState>} */
export const libraryState = () => request("library/state");

/** @returns {Promise<IndexingState>} */
export const indexing = () => request("indexing");

/**
 * Indexes a folder of the server's machine; null: generated music.
 * @param {string | null} folder
 * @returns {Promise<IndexingState>}
 */
export const startIndexing = (folder) => post("indexing", { folder });

/**
 * Folders of the server's machine whose paths begin so.
 * @param {string} beginning
 * @returns {Promise<string[]>}
 */
export const folders = async (beginning) => (await request(`indexing/folders?${queryString([["beginning", beginning]])}`)).folders;

/** @returns {Promise<Profile[]>} */
export const profiles = async () => (await request("profiles")).profiles;

/**
 * @param {string} id
 * @param {AbortSignal} [signal]
 * @returns {Promise<Item>}
 */
export const item = (id, signal) => request(`items/${encode(id)}`, { signal });

/**
 * Items that match, ordered by path.
 * @param {Partial<Filters> & { text?: string, limit?: number, facets?: boolean }} filters
 * @param {AbortSignal} [signal]
 * @returns {Promise<{ total: number, items: Item[], classes: Record<string, number> | null }>}
 */
export function items({ text = "", kinds = [], tempo, duration, key, favourite = false, collection, classes = [], facets = false, limit = 20 }, signal) {
  /** @type {[string, unknown][]} */
  const pairs = [["text", text], ["limit", limit]];
  if (facets) pairs.push(["facets", "true"]);
  for (const kind of kinds) pairs.push(["kind", kind]);
  for (const [name, range] of Object.entries({ tempo, seconds: duration })) {
    const [from, to] = range ?? [null, null];
    if (from !== null) pairs.push([`${name}_from`, from]);
    if (to !== null) pairs.push([`${name}_to`, to]);
  }
  if (key) pairs.push(["key", key]);
  if (favourite) pairs.push(["favourite", "true"]);
  if (collection) pairs.push(["collection", collection]);
  for (const name of classes) pairs.push(["sound_class", name]);
  return request(`items?${queryString(pairs)}`, { signal });
}

/**
 * @param {string} id
 * @param {AbortSignal} [signal]
 * @returns {Promise<Peaks>}
 */
export const peaks = (id, signal) => request(`items/${encode(id)}/peaks`, { signal });

/**
 * Waveform overviews by item; null for those that the server has not computed yet.
 * @param {string[]} ids
 * @returns {Promise<Record<string, Overview | null>>}
 */
export const overviews = async (ids) => (await request(`peaks?${queryString(ids.map((id) => ["item", id]))}`)).peaks;

/**
 * @param {SearchRequest} search
 * @param {AbortSignal} [signal]
 * @returns {Promise<SearchResult>}
 */
export const search = (search, signal) => post("search", search, signal);

/**
 * @param {string} part
 * @param {MapKind} kind
 * @param {AbortSignal} [signal]
 * @returns {Promise<LibraryMap>}
 */
export const libraryMap = (part, kind, signal) => request(`map?${queryString([["part", part], ["kind", kind]])}`, { signal });

/**
 * Uploads a file. onProgress(share): called while it is sent.
 * @param {File} file
 * @param {AbortSignal} [signal]
 * @param {(share: number) => void} [onProgress]
 * @returns {Promise<Upload>}
 */
export const upload = (file, signal, onProgress = () => {}) =>
  new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const sent = new XMLHttpRequest(); // fetch does not report progress
    sent.open("POST", `api/uploads?${queryString([["name", file.name]])}`);
    sent.responseType = "json";
    sent.upload.onprogress = ({ loaded, total }) => onProgress(total ? loaded / total : 0);
    sent.onload = () => {
      if (sent.status < 300) return resolve(sent.response);
      return reject(new ApiError(sent.response?.detail ?? `the server answered ${sent.status}`, sent.status));
    };
    sent.onerror = () => reject(unanswered());
    signal?.addEventListener("abort", () => {
      sent.abort();
      reject(signal.reason);
    });
    return sent.send(file);
  });

/**
 * An upload that the server still has.
 * @param {string} id
 * @param {AbortSignal} [signal]
 * @returns {Promise<Upload>}
 */
export const describeUpload = (id, signal) => request(`uploads/${encode(id)}`, { signal });

/**
 * The seconds of the reference that are most similar to a hit.
 * @param {SearchRequest} search
 * @param {Hit} hit
 * @param {AbortSignal} [signal]
 * @returns {Promise<{ start: number, end: number, score: number }>}
 */
export const matched = (search, { item, start }, signal) => post("search/matched", { search, item: item.id, start }, signal);

/**
 * @param {string} id
 * @param {boolean} on
 */
export const setFavourite = (id, on) => request(`favourites/${encode(id)}`, { method: on ? "PUT" : "DELETE" });

/**
 * Adds items to a collection and removes others; returns its stored name and size.
 * @param {string} name
 * @param {{ add?: string[], remove?: string[] }} change
 * @returns {Promise<{ name: string, count: number }>}
 */
export const changeCollection = (name, change) => post(`collections/${encodeURIComponent(name)}`, change);

/** @param {string} id */
export const reveal = (id) => request(`items/${encode(id)}/reveal`, { method: "POST" });

/**
 * @param {object} answer
 * @returns {Promise<AnswerKept>}
 */
export const addAnswer = (answer) => post("answers", answer);

/** @param {string} id */
export const withdrawAnswer = (id) => request(`answers/${encode(id)}`, { method: "DELETE" });

// Audio.

/**
 * @param {string} address
 * @param {AbortSignal} [signal]
 */
export const audioData = async (address, signal) => (await fetchOk(address, { signal })).arrayBuffer();

/**
 * Raises what the server says about audio that it cannot send.
 * @param {string} address
 */
export const checkAudio = (address) => fetchOk(address, { headers: { range: "bytes=0-0" } });

/** @param {string} id */
export const itemAudio = (id) => `api/items/${encode(id)}/audio`;

/** @param {string} id */
export const uploadAudio = (id) => `api/uploads/${encode(id)}/audio`;

/**
 * The path of an item or upload.
 * @param {ReferenceId} reference
 */
const owner = ({ upload, item = "" }) => (upload ? `uploads/${encode(upload)}` : `items/${encode(item)}`);

/**
 * The address of the seconds of an item or upload, as WAV.
 * @param {ReferenceId} reference
 * @param {number} start
 * @param {number} end
 */
export const excerpt = (reference, start, end) => `api/${owner(reference)}/excerpt?${queryString([["start", start], ["end", end]])}`;

/**
 * A waveform overview with many points.
 * @param {ReferenceId} reference
 * @param {number} points
 * @param {AbortSignal} [signal]
 * @returns {Promise<Overview>}
 */
export const waveform = (reference, points, signal) => request(`${owner(reference)}/waveform?points=${points}`, { signal });

/**
 * The onsets of a part, in groups of similar ones.
 * @param {ReferenceId} reference
 * @param {string} part
 * @param {AbortSignal} [signal]
 * @returns {Promise<Onsets>}
 */
export const onsets = (reference, part, signal) => request(`${owner(reference)}/onsets?${queryString([["part", part]])}`, { signal });

/**
 * The address of a stem of an item or upload, between two seconds.
 * @param {ReferenceId} reference
 * @param {string} part
 * @param {number} start
 * @param {number} end
 */
export function stemAudio(reference, part, start, end) {
  return `api/${owner(reference)}/stems/${encode(part)}?${queryString([["start", start], ["end", end]])}`;
}
