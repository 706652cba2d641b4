import { expect, test } from "vitest";
import { center, chooseViewport, findNeighbour, fit, isVisible, reveal, zoomAt } from "./viewport";

const WINDOW = { width: 1000, height: 600 };
const box = (x: number, y: number) => ({ x, y, width: 200, height: 50 });

test("a small drawing is shown whole and not enlarged, a large one where something is to be seen", () => {
  expect(fit({ width: 300, height: 200 }, WINDOW).zoom).toBe(1);
  const large = { width: 20_000, height: 30_000 };
  const opened = chooseViewport(large, WINDOW, box(9_000, 20_000));
  expect(opened.zoom).toBeGreaterThan(0.5);
  expect(isVisible(box(9_000, 20_000), opened, WINDOW, 0)).toBe(true);
  expect(chooseViewport(large, WINDOW, undefined).top).toBeGreaterThan(0);
});

test("zooming keeps the point under the pointer", () => {
  const view = { left: 10, top: 20, zoom: 1 };
  const closer = zoomAt(view, 1.5, 210, 120);
  expect([(210 - closer.left) / closer.zoom, (120 - closer.top) / closer.zoom]).toEqual([200, 100]);
  expect(zoomAt(view, 1e9, 0, 0).zoom).toBe(2);
});

test("a box outside is brought in, one inside moves nothing", () => {
  const view = { left: 0, top: 0, zoom: 1 };
  expect(isVisible(box(2000, 0), view, WINDOW)).toBe(false);
  const moved = reveal(box(2000, 700), view, WINDOW);
  expect(isVisible(box(2000, 700), moved, WINDOW, 0)).toBe(true);
  expect(reveal(box(100, 100), view, WINDOW)).toBe(view);
  expect(center(box(0, 0), WINDOW, 1)).toEqual({ zoom: 1, left: 400, top: 275 });
});

test("the arrows go to what lies in their direction", () => {
  const boxes = [box(0, 0), box(300, 0), box(0, 100), box(600, 20)];
  expect(findNeighbour(boxes, 0, "right")).toBe(1);
  expect(findNeighbour(boxes, 0, "down")).toBe(2);
  expect(findNeighbour(boxes, 1, "right")).toBe(3);
  expect(findNeighbour(boxes, 0, "up")).toBe(-1);
});
