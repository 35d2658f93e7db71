// Asks the server. Errors are Error objects with the server's own words; `gone` where it does not answer at all.

async function answer(address, options) {
  let response;
  try {
    response = await fetch(address, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw Object.assign(new Error("the server does not answer; is `soundalike serve` still running?"), { gone: true });
  }
  if (response.ok) return response;
  let words = `the server answered ${response.status}`;
  try {
    words = (await response.json()).detail ?? words;
  } catch {
    // not JSON: the number must do
  }
  throw Object.assign(new Error(words), { status: response.status });
}

async function ask(place, options) {
  const response = await answer(`api/${place}`, options);
  return response.status === 204 ? null : response.json();
}

// The bytes of a sound; raises what is wrong with it.
export const sound = async (address) => (await answer(address)).arrayBuffer();
export const reachable = (address) => answer(address, { headers: { range: "bytes=0-0" } });

const post = (place, body, signal) =>
  ask(place, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body), signal });

const id = encodeURIComponent;
const pairs = (values) => new URLSearchParams(values);

export const library = () => ask("library");
export const profiles = () => ask("profiles").then((found) => found.profiles);
export const libraryState = () => ask("library/state");
export const item = (name) => ask(`items/${id(name)}`);
export const peaks = (name) => ask(`items/${id(name)}/peaks`);
export const manyPeaks = (names) => ask(`peaks?${pairs(names.map((name) => ["item", name]))}`);
export const search = (asked, signal) => post("search", asked, signal);
export const picture = (part, kind) => ask(`map?${pairs({ part, kind })}`);

// tempo, duration: [low, high], null where open.
export function items({ text = "", kinds = [], tempo, duration, key, favourite = false, offset = 0, limit = 20 } = {}, signal) {
  const asked = pairs([["text", text], ["offset", offset], ["limit", limit], ...kinds.map((kind) => ["kind", kind])]);
  const [ranges, ends] = [{ tempo, seconds: duration }, ["from", "to"]];
  for (const [name, range] of Object.entries(ranges)) range?.forEach((value, n) => value !== null && asked.append(`${name}_${ends[n]}`, value));
  if (key) asked.append("key", key);
  if (favourite) asked.append("favourite", "true");
  return ask(`items?${asked}`, { signal });
}

export const upload = (file, signal) => ask(`uploads?${pairs({ name: file.name })}`, { method: "POST", body: file, signal });

export const favour = (name, on) => ask(`favourites/${id(name)}`, { method: on ? "PUT" : "DELETE" });
export const reveal = (name) => ask(`items/${id(name)}/reveal`, { method: "POST" });

export const judge = (answer) => post("answers", answer);
export const unjudge = (name) => ask(`answers/${id(name)}`, { method: "DELETE" });
export const ANSWERS = "api/answers/export";

// Addresses of sound.
export const audio = (name) => `api/items/${id(name)}/audio`;
export const uploaded = (name) => `api/uploads/${id(name)}/audio`;

// A stem of a reference, {item} or {upload}, between two seconds.
export const stem = (reference, part, start, end) =>
  `api/${reference.upload ? `uploads/${id(reference.upload)}` : `items/${id(reference.item)}`}/stems/${id(part)}?${pairs({ start, end })}`;
