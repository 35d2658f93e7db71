// Where points of the map are on the screen, and which are near. Pure functions; nothing here touches the page.

const CLOSEST = 400; // times the whole
const MARGIN = 24; // px

export const WHOLE = { x: 0.5, y: 0.5, zoom: 1 };

// px of the unit square's side.
const side = (view, size) => (Math.min(size.width, size.height) - 2 * MARGIN) * view.zoom;

export const toScreen = (view, size, x, y) => [
  size.width / 2 + (x - view.x) * side(view, size),
  size.height / 2 + (y - view.y) * side(view, size),
];

export const toMap = (view, size, left, top) => [
  view.x + (left - size.width / 2) / side(view, size),
  view.y + (top - size.height / 2) / side(view, size),
];

// `view` nearer by `factor`, with the point under (left, top) staying there.
export function zoomed(view, size, factor, left = size.width / 2, top = size.height / 2) {
  const zoom = Math.min(CLOSEST, Math.max(1, view.zoom * factor));
  if (zoom === 1) return WHOLE;
  const [x, y] = toMap(view, size, left, top);
  const [nx, ny] = toMap({ ...view, zoom }, size, left, top);
  return held({ x: view.x + x - nx, y: view.y + y - ny, zoom });
}

export const panned = (view, size, right, down) => held({ ...view, x: view.x - right / side(view, size), y: view.y - down / side(view, size) });

// The middle stays on the map.
const held = (view) => ({ ...view, x: Math.min(1, Math.max(0, view.x)), y: Math.min(1, Math.max(0, view.y)) });

// The point nearest to a place, within `most` of it; -1 where there is none. shown(n): whether it is on the map now.
export function nearest(points, x, y, most = Infinity, shown = () => true) {
  let [best, least] = [-1, most * most];
  for (let n = 0; n < points.x.length; n++) {
    const far = (points.x[n] - x) ** 2 + (points.y[n] - y) ** 2;
    if (far < least && shown(n)) [best, least] = [n, far];
  }
  return best;
}

// The `count` points nearest to point `from`, itself first.
export function around(points, from, count, shown = () => true) {
  const far = (n) => (points.x[n] - points.x[from]) ** 2 + (points.y[n] - points.y[from]) ** 2;
  const found = [];
  for (let n = 0; n < points.x.length; n++) {
    if (!shown(n)) continue;
    const d = n === from ? -1 : far(n);
    if (found.length === count && d >= found[count - 1][0]) continue;
    let at = found.length;
    while (at > 0 && found[at - 1][0] > d) at--;
    found.splice(at, 0, [d, n]);
    if (found.length > count) found.pop();
  }
  return found.map(([, n]) => n);
}

// The next point from `from` to the right, left, up or down: near, and more that way than aside; `from` where there is none.
export function towards(points, from, [right, down], shown = () => true) {
  let [best, least] = [from, Infinity];
  for (let n = 0; n < points.x.length; n++) {
    const [dx, dy] = [points.x[n] - points.x[from], points.y[n] - points.y[from]];
    const ahead = dx * right + dy * down;
    const aside = Math.abs(dx * down - dy * right);
    if (n === from || ahead <= 0 || aside > ahead || !shown(n)) continue;
    const cost = ahead + 2 * aside;
    if (cost < least) [best, least] = [n, cost];
  }
  return best;
}
