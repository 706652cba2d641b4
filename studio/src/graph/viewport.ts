/** The part of a drawing that a window shows: a point of the drawing is at `x * zoom + left` of the window. */
export interface Viewport {
  left: number;
  top: number;
  zoom: number;
}

export interface Rectangle {
  x: number;
  y: number;
  width: number;
  height: number;
}

export const LEAST_ZOOM = 0.04;
export const MOST_ZOOM = 2;
const MARGIN = 40;
/** Below this zoom the texts of nodes cannot be read, and they are drawn as boxes. */
export const FAR = 0.5;

const clamp = (value: number, least: number, most: number) => Math.max(least, Math.min(most, value));

/** Show the whole of a drawing, not larger than it is. */
export function fit(drawing: { width: number; height: number }, window: { width: number; height: number }): Viewport {
  const zoom = clamp(Math.min((window.width - 2 * MARGIN) / drawing.width, (window.height - 2 * MARGIN) / drawing.height, 1), LEAST_ZOOM, 1);
  return { zoom, left: (window.width - drawing.width * zoom) / 2, top: Math.max(MARGIN * Math.min(zoom, 1), (window.height - drawing.height * zoom) / 2) };
}

/** Show a box in the middle of the window. */
export function center(box: Rectangle, window: { width: number; height: number }, zoom: number): Viewport {
  return { zoom, left: window.width / 2 - (box.x + box.width / 2) * zoom, top: window.height / 2 - (box.y + box.height / 2) * zoom };
}

/** The viewport to open with: the whole drawing if its texts can be read, else the part that is looked for first. */
export function chooseViewport(drawing: { width: number; height: number }, window: { width: number; height: number }, focus: Rectangle | undefined): Viewport {
  const whole = fit(drawing, window);
  if (whole.zoom > FAR) return whole;
  if (focus) return center(focus, window, 0.9);
  return { zoom: 0.9, left: window.width / 2 - (drawing.width / 2) * 0.9, top: MARGIN };
}

/** Zoom by a factor; the point of the window at (x, y) stays where it is. */
export function zoomAt(view: Viewport, factor: number, x: number, y: number): Viewport {
  const zoom = clamp(view.zoom * factor, LEAST_ZOOM, MOST_ZOOM);
  const ratio = zoom / view.zoom;
  return { zoom, left: x - (x - view.left) * ratio, top: y - (y - view.top) * ratio };
}

export function isVisible(box: Rectangle, view: Viewport, window: { width: number; height: number }, margin = 80): boolean {
  const left = box.x * view.zoom + view.left;
  const top = box.y * view.zoom + view.top;
  return left < window.width + margin && top < window.height + margin && left + box.width * view.zoom > -margin && top + box.height * view.zoom > -margin;
}

/** Move as little as needed to bring a box into the window. */
export function reveal(box: Rectangle, view: Viewport, window: { width: number; height: number }): Viewport {
  const left = box.x * view.zoom + view.left;
  const top = box.y * view.zoom + view.top;
  const right = left + box.width * view.zoom;
  const bottom = top + box.height * view.zoom;
  const dx = left < MARGIN ? MARGIN - left : right > window.width - MARGIN ? window.width - MARGIN - right : 0;
  const dy = top < MARGIN ? MARGIN - top : bottom > window.height - MARGIN ? window.height - MARGIN - bottom : 0;
  return dx || dy ? { ...view, left: view.left + dx, top: view.top + dy } : view;
}

/** The place of the nearest of `boxes` in a direction from the one at `from`; -1 if there is none. */
export function findNeighbour(boxes: Rectangle[], from: number, direction: "up" | "down" | "left" | "right"): number {
  const middle = (box: Rectangle) => [box.x + box.width / 2, box.y + box.height / 2];
  const [x, y] = middle(boxes[from]);
  let best = -1;
  let least = Infinity;
  boxes.forEach((box, k) => {
    const [otherX, otherY] = middle(box);
    const [along, across] = direction === "left" || direction === "right" ? [otherX - x, otherY - y] : [otherY - y, otherX - x];
    const ahead = direction === "left" || direction === "up" ? -along : along;
    if (k === from || ahead <= 1) return;
    const distance = ahead + 2.5 * Math.abs(across);
    if (distance < least) [least, best] = [distance, k];
  });
  return best;
}
