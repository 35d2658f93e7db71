// Draws the points of the map, rings around them, and a label.

import { colour } from "../palette.js";
import { shapeOf } from "./colours.js";
import { toScreen } from "./view.js";

const TRIANGLE_HEIGHT = 0.87; // of an equilateral triangle, relative to its side
const OUTSIDE = 9; // px beyond the edge of the canvas at which points are left out

/**
 * Adds a shape to the path.
 * @param {CanvasRenderingContext2D} pen
 * @param {import("./colours.js").Shape} shape
 * @param {number} left
 * @param {number} top
 * @param {number} radius
 */
function addShape(pen, shape, left, top, radius) {
  if (shape === "square") pen.rect(left - radius, top - radius, 2 * radius, 2 * radius);
  else if (shape === "circle") {
    pen.moveTo(left + radius, top);
    pen.arc(left, top, radius, 0, 2 * Math.PI);
  } else {
    const half = 1.2 * radius;
    const bottom = top - half + 2 * TRIANGLE_HEIGHT * half;
    pen.moveTo(left, top - half);
    pen.lineTo(left + half, bottom);
    pen.lineTo(left - half, bottom);
    pen.closePath();
  }
}

/**
 * Draws all points except those of hidden entries of the legend. Returns their radius (px).
 * @param {CanvasRenderingContext2D} pen
 * @param {LibraryMap} points
 * @param {import("./colours.js").Colouring} colouring
 * @param {{ view: MapView, size: Size, hidden: Set<number> }} options
 */
export function drawPoints(pen, points, { legend, of }, { view, size, hidden }) {
  const count = points.ids.length;
  const radius = Math.min(7, (count > 3000 ? 1.6 : count > 300 ? 3 : 4.5) * Math.sqrt(view.zoom));
  pen.globalAlpha = 0.8;
  // One path for each colour, so that thousands of points are drawn within a frame.
  legend.forEach(({ colour: ink }, entry) => {
    if (hidden.has(entry)) return;
    pen.beginPath();
    for (let n = 0; n < count; n++) {
      if (of[n] !== entry) continue;
      const [left, top] = toScreen(view, size, points.x[n], points.y[n]);
      if (left < -OUTSIDE || top < -OUTSIDE || left > size.width + OUTSIDE || top > size.height + OUTSIDE) continue;
      addShape(pen, radius < 2.5 ? "square" : shapeOf(points.kind[n]), left, top, radius);
    }
    pen.fillStyle = ink;
    pen.fill();
  });
  pen.globalAlpha = 1;
  return radius;
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {[number, number]} centre
 * @param {number} radius
 * @param {string} ink
 * @param {number} width
 */
export function drawRing(pen, [left, top], radius, ink, width) {
  pen.beginPath();
  pen.arc(left, top, radius, 0, 2 * Math.PI);
  pen.strokeStyle = ink;
  pen.lineWidth = width;
  pen.stroke();
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {[number, number][]} lasso
 */
export function drawLasso(pen, lasso) {
  pen.beginPath();
  for (const [left, top] of lasso) pen.lineTo(left, top);
  pen.closePath();
  pen.fillStyle = colour("region");
  pen.fill();
  pen.strokeStyle = colour("accent");
  pen.lineWidth = 1.5;
  pen.stroke();
}

/**
 * Draws a label beside a point, inside the canvas.
 * @param {CanvasRenderingContext2D} pen
 * @param {[number, number]} point
 * @param {number} radius of the point
 * @param {string} text
 * @param {Size} size of the canvas
 */
export function drawLabel(pen, [left, top], radius, text, size) {
  pen.font = "12px system-ui, sans-serif";
  const width = pen.measureText(text).width + 12;
  const x = Math.max(2, Math.min(size.width - width - 2, left + radius + 6));
  const y = Math.max(2, top - 26);
  pen.fillStyle = colour("panel");
  pen.strokeStyle = colour("line");
  pen.lineWidth = 1;
  pen.beginPath();
  pen.roundRect(x, y, width, 20, 4);
  pen.fill();
  pen.stroke();
  pen.fillStyle = colour("text");
  pen.fillText(text, x + 6, y + 14);
}
