import { expect, test } from "vitest";
import { append, load, prepend } from "./loaded";

const piece = (text: string, from: number, size = 1000) => ({ text, from, to: from + text.length, size });

test("the number of the first line is kept, whatever is added", () => {
  expect(load(piece("a\nb\n", 0)).firstLine).toBe(1);
  expect(load(piece("a\nb\n", 10)).firstLine).toBeNull();
  const known = load(piece("c\nd\n", 4), 3);
  expect(append(known, piece("e\n", 8))).toMatchObject({ text: "c\nd\ne\n", from: 4, to: 10, firstLine: 3 });
  expect(prepend(piece("a\nb\n", 0), known)).toMatchObject({ text: "a\nb\nc\nd\n", from: 0, firstLine: 1 });
  expect(prepend(piece("b\n", 2), known)).toMatchObject({ from: 2, firstLine: 2 });
});

test("too much is cut at a line, and the numbers stay right", () => {
  const line = `${"x".repeat(99)}\n`;
  const large = load(piece(line.repeat(60_000), 0, 1e9));
  const more = append(large, piece(line.repeat(30_000), 6_000_000, 1e9));
  expect(more.text.length).toBe(more.to - more.from);
  expect(more.firstLine).toBe(more.from / 100 + 1);
  const earlier = prepend(piece(line.repeat(60_000), 0, 1e9), load(piece(line.repeat(60_000), 6_000_000, 1e9), 60_001));
  expect([earlier.from, earlier.firstLine, earlier.to]).toEqual([0, 1, earlier.text.length]);
});
