// What colours the points of the map: kind, tempo or folder; and their shapes. Pure functions; nothing here touches the page.

// Told apart by people with any kind of sight (Okabe and Ito); on dark and on light ground.
const SEVERAL = ["#4c9be0", "#e69f00", "#2fae86", "#d9784a", "#c987b6", "#b8a93a", "#7f8ea3", "#6fc3df"];
const UNKNOWN = "#8a8f94";

// Slow to fast: blue over green to yellow, even steps of lightness (after viridis).
const RAMP = ["#7c6fd6", "#4a92cf", "#2aa893", "#7fbf4a", "#e0b92f"];
const TEMPI = [80, 100, 120, 140];

const KINDS = { song: "songs", loop: "loops", "one-shot": "one-shots" };

// Kinds are told apart by shape too, whatever the colours say.
const SHAPES = { song: "circle", loop: "square", "one-shot": "triangle" };
export const SIGNS = { circle: "●", square: "■", triangle: "▲" };

export const shape = (points, n) => SHAPES[points.kind[n]];

// The kinds that there are: [{shape, name}].
export function kinds(points) {
  const there = new Set(points.kind);
  return Object.keys(KINDS).filter((kind) => there.has(kind)).map((kind) => ({ shape: SHAPES[kind], name: KINDS[kind] }));
}

// Folders without what all of them share, as far as the first that tells some apart.
function shortened(folders) {
  const places = folders.map((folder) => folder.split("/"));
  let depth = 0;
  while (places.every((place) => place.length > depth + 1 && place[depth] === places[0][depth])) depth += 1;
  return places.map((place) => place[depth] || "(no folder)");
}

// {legend: [{name, colour, shape (of a kind)}], of: Uint8Array of legend places} for points {kind, tempo, folder}.
export function coloured(points, by) {
  if (by === "kind") {
    const legend = kinds(points).map((one) => ({ ...one, colour: SEVERAL[Object.values(KINDS).indexOf(one.name)] }));
    const place = new Map(legend.map(({ shape }, n) => [shape, n]));
    return { legend, of: Uint8Array.from(points.kind, (kind) => place.get(SHAPES[kind])) };
  }
  if (by === "tempo") {
    const names = ["under 80", "80–100", "100–120", "120–140", "over 140"];
    return {
      legend: [...names.map((name, n) => ({ name, colour: RAMP[n] })), { name: "unknown", colour: UNKNOWN }],
      of: Uint8Array.from(points.tempo, (tempo) => (tempo ? TEMPI.filter((edge) => tempo >= edge).length : names.length)),
    };
  }
  const values = shortened(points.folder);
  const counts = new Map();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  const most = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([value]) => value);
  const named = most.slice(0, SEVERAL.length);
  const legend = named.map((name, n) => ({ name, colour: SEVERAL[n] }));
  if (most.length > named.length) legend.push({ name: `${most.length - named.length} others`, colour: UNKNOWN });
  const place = new Map(named.map((name, n) => [name, n]));
  return { legend, of: Uint8Array.from(values, (value) => place.get(value) ?? named.length) };
}
