// Asks the server. Errors are Error objects with the server's own words.

async function answer(response) {
  if (response.ok) return response.json();
  let words = `the server answered ${response.status}`;
  try {
    words = (await response.json()).detail ?? words;
  } catch {
    // not JSON: the number must do
  }
  throw new Error(words);
}

export const library = () => fetch("api/library").then(answer);

export const items = (text, limit = 20) =>
  fetch(`api/items?${new URLSearchParams({ text, limit })}`).then(answer);

export const peaks = (item) => fetch(`api/items/${encodeURIComponent(item)}/peaks`).then(answer);

export const upload = (file, signal) =>
  fetch(`api/uploads?${new URLSearchParams({ name: file.name })}`, { method: "POST", body: file, signal }).then(answer);

export const search = (asked, signal) =>
  fetch("api/search", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(asked),
    signal,
  }).then(answer);

export const audio = (item) => `api/items/${encodeURIComponent(item)}/audio`;

export const uploaded = (id) => `api/uploads/${id}/audio`;

export const stem = (id, part, start, end) =>
  `api/uploads/${id}/stems/${part}?${new URLSearchParams(end === null ? { start } : { start, end })}`;
