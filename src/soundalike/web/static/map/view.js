// Where points of the map are on the screen, and which are close together. Pure functions without access to the page.

/** @typedef {{ x: number[], y: number[] }} Points in 0..1 */
/** @typedef {(n: number) => boolean} Shown whether a point is on the map now */

const MAX_ZOOM = 400;
const MARGIN = 24; // px

/** @type {MapView} */
export const WHOLE = { x: 0.5, y: 0.5, zoom: 1 };

/**
 * px of the unit square's side.
 * @param {MapView} view
 * @param {Size} size
 */
const scaleOf = (view, size) => (Math.min(size.width, size.height) - 2 * MARGIN) * view.zoom;

/**
 * The position on the screen (px) of a point of the map.
 * @param {MapView} view
 * @param {Size} size
 * @param {number} x
 * @param {number} y
 * @returns {[number, number]}
 */
export const toScreen = (view, size, x, y) => [
  size.width / 2 + (x - view.x) * scaleOf(view, size),
  size.height / 2 + (y - view.y) * scaleOf(view, size),
];

/**
 * The point of the map at a position on the screen (px).
 * @param {MapView} view
 * @param {Size} size
 * @param {number} left
 * @param {number} top
 * @returns {[number, number]}
 */
export const toMap = (view, size, left, top) => [
  view.x + (left - size.width / 2) / scaleOf(view, size),
  view.y + (top - size.height / 2) / scaleOf(view, size),
];

/**
 * Keeps the middle of the screen on the map.
 * @param {MapView} view
 * @returns {MapView}
 */
const clamped = (view) => ({ ...view, x: Math.min(1, Math.max(0, view.x)), y: Math.min(1, Math.max(0, view.y)) });

/**
 * `view` enlarged by `factor`; the point at (left, top) stays where it is.
 * @param {MapView} view
 * @param {Size} size
 * @param {number} factor
 * @param {number} [left]
 * @param {number} [top]
 */
export function zoomed(view, size, factor, left = size.width / 2, top = size.height / 2) {
  const zoom = Math.min(MAX_ZOOM, Math.max(1, view.zoom * factor));
  if (zoom === 1) return WHOLE;
  const [x, y] = toMap(view, size, left, top);
  const [newX, newY] = toMap({ ...view, zoom }, size, left, top);
  return clamped({ x: view.x + x - newX, y: view.y + y - newY, zoom });
}

/**
 * `view` moved by px.
 * @param {MapView} view
 * @param {Size} size
 * @param {number} right
 * @param {number} down
 */
export function panned(view, size, right, down) {
  const scale = scaleOf(view, size);
  return clamped({ ...view, x: view.x - right / scale, y: view.y - down / scale });
}

/**
 * `view` moved and enlarged as two fingers moved over it (px): what is under each stays there.
 * @param {MapView} view
 * @param {Size} size
 * @param {[number, number][]} before where the two were
 * @param {[number, number][]} after where they are
 */
export function pinched(view, size, [[ax, ay], [bx, by]], [[cx, cy], [dx, dy]]) {
  const factor = Math.hypot(dx - cx, dy - cy) / Math.max(1, Math.hypot(bx - ax, by - ay));
  const [left, top] = [(cx + dx) / 2, (cy + dy) / 2];
  return zoomed(panned(view, size, left - (ax + bx) / 2, top - (ay + by) / 2), size, factor, left, top);
}

/**
 * The point nearest to (x, y), at most `limit` away; -1 if there is none.
 * @param {Points} points
 * @param {number} x
 * @param {number} y
 * @param {number} [limit]
 * @param {Shown} [shown]
 */
export function nearest(points, x, y, limit = Infinity, shown = () => true) {
  let [best, least] = [-1, limit * limit];
  for (let n = 0; n < points.x.length; n++) {
    const distance = (points.x[n] - x) ** 2 + (points.y[n] - y) ** 2;
    if (distance < least && shown(n)) [best, least] = [n, distance];
  }
  return best;
}

/**
 * The `count` points nearest to the point `from`, itself first.
 * @param {Points} points
 * @param {number} from
 * @param {number} count
 * @param {Shown} [shown]
 */
export function neighbours(points, from, count, shown = () => true) {
  /** @type {[number, number][]} */
  const found = []; // [squared distance, point], ascending
  for (let n = 0; n < points.x.length; n++) {
    if (!shown(n)) continue;
    const distance = n === from ? -1 : (points.x[n] - points.x[from]) ** 2 + (points.y[n] - points.y[from]) ** 2;
    if (found.length === count && distance >= found[count - 1][0]) continue;
    let at = found.length;
    while (at > 0 && found[at - 1][0] > distance) at--;
    found.splice(at, 0, [distance, n]);
    if (found.length > count) found.pop();
  }
  return found.map(([, n]) => n);
}

/**
 * Whether a point is inside a polygon (even-odd rule).
 * @param {[number, number][]} polygon
 * @param {[number, number]} point
 */
export function within(polygon, [x, y]) {
  let inside = false;
  for (let n = 0, before = polygon.length - 1; n < polygon.length; before = n++) {
    const [[ax, ay], [bx, by]] = [polygon[n], polygon[before]];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
  }
  return inside;
}

/**
 * The next point in a direction: close, and more in that direction than to its side; `from` if there is none.
 * @param {Points} points
 * @param {number} from
 * @param {[number, number]} direction right and down
 * @param {Shown} [shown]
 */
export function nextInDirection(points, from, [right, down], shown = () => true) {
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
