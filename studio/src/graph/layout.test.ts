import { expect, test } from "vitest";
import { layOut, type Box } from "./layout";

const sizes = (count: number) => Array.from({ length: count }, () => ({ width: 200, height: 56 }));

function overlaps(boxes: Box[]): number {
  let found = 0;
  for (const [k, a] of boxes.entries())
    for (const b of boxes.slice(k + 1)) if (a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height) found++;
  return found;
}

test("what waits stands below what it waits for, and no box over another", () => {
  const edges: [number, number][] = [[0, 1], [0, 2], [1, 3], [2, 3], [0, 3], [4, 3]];
  const boxes = layOut(sizes(6), edges);
  for (const [from, to] of edges) expect(boxes[from]!.y).toBeLessThan(boxes[to]!.y);
  expect(overlaps(boxes)).toBe(0);
  expect(Math.min(...boxes.map((box) => box.x))).toBe(0);
  expect(boxes[4]!.layer).toBe(boxes[3]!.layer - 1); // a source stands right above its user
});

test("a diamond is symmetric, and a chain straight", () => {
  const diamond = layOut(sizes(4), [[0, 1], [0, 2], [1, 3], [2, 3]]);
  expect(diamond[0]!.x).toBe(diamond[3]!.x);
  expect(diamond[0]!.x * 2).toBe(diamond[1]!.x + diamond[2]!.x);
  const chain = layOut(sizes(5), [[0, 1], [1, 2], [2, 3], [3, 4]]);
  expect(new Set(chain.map((box) => box.x)).size).toBe(1);
});

test("crossings are undone where an order without them is there", () => {
  const boxes = layOut(sizes(4), [[0, 3], [1, 2]]);
  expect((boxes[0]!.x - boxes[1]!.x) * (boxes[3]!.x - boxes[2]!.x)).toBeGreaterThan(0);
});

test("boxes of different sizes, a wide row, and a cycle are placed without overlap", () => {
  const mixed = sizes(60).map((size, k) => ({ ...size, width: 120 + 40 * (k % 5), height: 40 + 90 * (k % 3) }));
  const fan = Array.from({ length: 59 }, (_, k): [number, number] => [0, k + 1]);
  expect(overlaps(layOut(mixed, fan, { wrap: 12 }))).toBe(0);
  expect(overlaps(layOut(sizes(3), [[0, 1], [1, 2], [2, 0]]))).toBe(0);
});

test("nothing is placed nowhere, and three thousand nodes in a moment", () => {
  expect(layOut([], [])).toEqual([]);
  const edges: [number, number][] = [];
  for (let node = 1; node < 3000; node++) edges.push([Math.max(0, node - 1 - ((node * 7) % 11)), node], [(node * 13) % node, node]);
  expect(layOut(sizes(3000), edges)).toHaveLength(3000);
});
