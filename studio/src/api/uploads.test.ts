import { expect, it } from "vitest";
import { buildHead, splitRequests } from "./uploads";

const make = (path: string, size: number, start = 0) => ({ path, start, file: { name: path, size } as File });
const show = (missing: ReturnType<typeof make>[]) => splitRequests(missing).map((pieces) => pieces.map(({ path, start, end }) => `${path} ${start}-${end}`));

it("many small files are one request, and a large one is several", () => {
  expect(show([make("a", 3), make("empty", 0), make("b", 5)])).toEqual([["a 0-3", "empty 0-0", "b 0-5"]]);
  expect(show([make("a", 3), make("large", 17_000_000, 500_000), make("b", 1)])).toEqual([
    ["a 0-3"], ["large 500000-8500000"], ["large 8500000-16500000"], ["large 16500000-17000000", "b 0-1"],
  ]);
  expect(show(Array.from({ length: 1001 }, (_, k) => make(`f${k}`, 1))).map((one) => one.length)).toEqual([1000, 1]);
  expect(show([])).toEqual([]);
});

it("a piece says its path, its length and its place, as the server reads them", () => {
  const head = buildHead("ö.csv", 8_000_000, 2 ** 33);
  expect([...head]).toEqual([0, 0, 0, 6, 0, 0, 0, 0, 0, 122, 18, 0, 0, 0, 0, 2, 0, 0, 0, 0, 195, 182, 46, 99, 115, 118]);
});
