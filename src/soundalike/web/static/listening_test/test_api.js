// Requests to the server of the listening test. The token of the personal link is the address's fragment, which browsers send to
// no server; each request names it in a header.

const RETRY_SECONDS = [1, 2, 4, 8, 15]; // then every 15 s

/** A request that failed. status: null if the server does not answer at all. */
export class RequestError extends Error {
  /**
   * @param {string} message
   * @param {number | null} status
   */
  constructor(message, status) {
    super(message);
    this.status = status;
  }

  /** Whether the same request may succeed later. */
  get temporary() {
    return this.status === null || this.status === 408 || this.status === 409 || this.status >= 500;
  }
}

export const token = () => decodeURIComponent(location.hash.slice(1));

/**
 * @param {string} path
 * @param {RequestInit} [options]
 */
async function fetchOk(path, options = {}) {
  let response;
  try {
    response = await fetch(`api/${path}`, { ...options, headers: { ...options.headers, "x-listener": token() } });
  } catch {
    throw new RequestError("The server does not answer.", null);
  }
  if (response.ok) return response;
  let message = `The server answered ${response.status}.`;
  try {
    message = (await response.json()).detail ?? message;
  } catch {
    // not JSON: the status code has to do
  }
  throw new RequestError(message, response.status);
}

/**
 * Repeats a request until the server answers. onRetry: called before each further attempt.
 * @template T
 * @param {() => Promise<T>} request
 * @param {() => void} onRetry
 */
export async function persistently(request, onRetry) {
  for (let attempt = 0; ; attempt++) {
    try {
      return await request();
    } catch (error) {
      if (!(error instanceof RequestError) || !error.temporary) throw error;
      onRetry();
      const seconds = RETRY_SECONDS[Math.min(attempt, RETRY_SECONDS.length - 1)];
      await new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
    }
  }
}

/**
 * @param {string} path
 * @param {object} [body]
 */
const post = (path, body) =>
  fetchOk(path, { method: "POST", ...(body && { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }) });

/** @returns {Promise<TestSession>} */
export const session = async () => (await fetchOk("session")).json();

export const consent = () => post("session/consent");

/**
 * @param {number} correct
 * @param {number} rounds
 */
export const headphones = (correct, rounds) => post("session/headphones", { correct, rounds });

export const practised = () => post("session/practice");

/**
 * Stores an answer; repeating it changes nothing.
 * @param {string} trial
 * @param {GivenAnswer} given
 * @returns {Promise<{ stored: boolean, progress: TestProgress }>}
 */
export const answer = async (trial, given) => (await post(`trials/${encodeURIComponent(trial)}/answer`, given)).json();

/**
 * @param {string} trial
 * @param {TrialSide} side
 */
export const clip = async (trial, side) => (await fetchOk(`trials/${encodeURIComponent(trial)}/${side}`)).arrayBuffer();
