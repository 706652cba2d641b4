import { expect, test } from "vitest";
import { readBefore, readEnd, readFrom, splitLines } from "./tail";

/** A file as the server sends it: byte ranges, 206 and 416. */
function serve(text: string) {
  const bytes = new TextEncoder().encode(text);
  return async (range: string) => {
    const [, first, last] = /bytes=(\d*)-(\d*)/.exec(range)!;
    const from = first ? Number(first) : Math.max(0, bytes.length - Number(last));
    const to = first && last ? Math.min(Number(last), bytes.length - 1) : bytes.length - 1;
    const headers = { "content-range": from > to ? `bytes */${bytes.length}` : `bytes ${from}-${to}/${bytes.length}` };
    return from > to ? new Response(null, { status: 416, headers }) : new Response(bytes.slice(from, to + 1), { status: 206, headers });
  };
}

const LINES = Array.from({ length: 1000 }, (_, k) => `line ${k} ä`);
const FILE = serve(LINES.join("\n") + "\n");

test("the end, and what is before it piece by piece, are the whole file", async () => {
  let piece = await readEnd(FILE, 500);
  let text = piece.text;
  expect(splitLines(text).at(-1)).toBe("line 999 ä");
  while (piece.from > 0) {
    piece = await readBefore(FILE, piece.from, 500);
    text = piece.text + text;
  }
  expect(splitLines(text)).toEqual(LINES);
});

test("the beginning, and what is after it, are the whole file", async () => {
  let at = 0;
  let text = "";
  for (let size = 1; at < size; ) {
    const piece = await readFrom(FILE, at, 300);
    [text, at, size] = [text + piece.text, piece.to, piece.size];
  }
  expect(splitLines(text)).toEqual(LINES);
});

test("nothing new, an empty file, and a line that is longer than a piece", async () => {
  const after = await readFrom(serve("abc\n"), 4);
  expect([after.text, after.to, after.size]).toEqual(["", 4, 4]);
  expect((await readEnd(serve(""))).text).toBe("");
  const long = "x".repeat(1000);
  expect((await readEnd(serve(long), 100)).text.length).toBe(100);
});

test("a progress bar is its last drawing", () => {
  expect(splitLines("1%\r50%\r100%\ndone\r\n")).toEqual(["100%", "done"]);
  expect(splitLines("")).toEqual([]);
  expect(splitLines("a\n\nb")).toEqual(["a", "", "b"]);
});
