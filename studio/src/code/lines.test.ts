import { expect, test } from "vitest";
import { compareFiles, diffTexts } from "./diff";
import { countSkipped, cutHunks, pairLines } from "./lines";
import { describeKind, listFiles } from "./snapshots";

test("removed lines stand beside the added ones in their place", async () => {
  const { hunks } = (await diffTexts("a\nb\nc\nd\n", "a\nB\nC\nnew\nd\n"))!;
  expect(pairLines(hunks[0].lines).map(([one, two]) => [one?.text, two?.text])).toEqual([["a", "a"], ["b", "B"], ["c", "C"], [undefined, "new"], ["d", "d"]]);
});

test("what is left out between hunks is counted, and a long difference is cut", async () => {
  const lines = Array.from({ length: 40 }, (_, k) => `line ${k}`);
  const { hunks } = (await diffTexts(lines.join("\n"), lines.map((line, k) => (k === 9 || k === 30 ? "x" : line)).join("\n"), 1))!;
  expect(countSkipped(hunks)).toEqual([8, 18]);
  expect(cutHunks(hunks, 5).map((hunk) => hunk.lines.length)).toEqual([4, 1]);
});

test("a link, an empty folder, or a file that became executable is said", () => {
  const file = (kind: string, hash = "1") => ({ path: "p", size: 1, kind, hash });
  expect(describeKind({ path: "p", change: "changed", before: file("f"), after: file("x") })).toBe("a file before, an executable file now");
  expect(describeKind({ path: "p", change: "changed", before: file("f"), after: file("f", "2") })).toBeNull();
  expect(describeKind({ path: "p", change: "added", after: file("l", "there") })).toBe("a link to there");
  expect(describeKind({ path: "p", change: "added", after: file("f") })).toBeNull();
  expect(describeKind({ path: "p", change: "same", before: file("l", "there"), after: file("l", "there") })).toBe("a link to there");
});

test("a link is the same as long as it leads to the same place", () => {
  const link = (target: string) => listFiles([{ path: "latest", kind: "l", size: 0, link: target }]);
  expect(compareFiles(link("a"), link("a"))[0].change).toBe("same");
  expect(compareFiles(link("a"), link("b"))[0].change).toBe("changed");
});
