import { expect, test } from "vitest";
import { compareFiles, diffTexts } from "./diff";

test("files of two snapshots are told apart by their content, those that differ first", () => {
  const before = [{ path: "a.py", size: 1, hash: "1" }, { path: "b.py", size: 1, hash: "2" }, { path: "gone.py", size: 1, hash: "3" }];
  const after = [{ path: "a.py", size: 1, hash: "1" }, { path: "b.py", size: 1, hash: "x" }, { path: "new.py", size: 1, hash: "4" }];
  expect(compareFiles(before, after).map(({ path, change }) => `${path} ${change}`)).toEqual(["b.py changed", "gone.py removed", "new.py added", "a.py same"]);
});

test("a file that became executable has changed", () => {
  expect(compareFiles([{ path: "a", size: 1, hash: "1", kind: "f" }], [{ path: "a", size: 1, hash: "1", kind: "x" }])[0].change).toBe("changed");
});

test("lines of a difference have their numbers in both texts", async () => {
  const before = Array.from({ length: 20 }, (_, k) => `line ${k + 1}`).join("\n") + "\n";
  const found = await diffTexts(before, before.replace("line 10\n", "line ten\nline ten and a half\n"), 1);
  expect(found).toMatchObject({ added: 2, removed: 1 });
  expect(found!.hunks).toHaveLength(1);
  expect(found!.hunks[0].lines).toEqual([
    { change: "same", text: "line 9", before: 9, after: 9 },
    { change: "removed", text: "line 10", before: 10, after: null },
    { change: "added", text: "line ten", before: null, after: 10 },
    { change: "added", text: "line ten and a half", before: null, after: 11 },
    { change: "same", text: "line 11", before: 11, after: 12 },
  ]);
});

test("the same texts have no hunks, a new file has only added lines, and what differs everywhere is left", async () => {
  expect((await diffTexts("a\n", "a\n"))!.hunks).toEqual([]);
  expect(await diffTexts("", "a\nb\n")).toMatchObject({ added: 2, removed: 0 });
  const many = (mark: string) => Array.from({ length: 1100 }, (_, k) => `${mark}${k}`).join("\n");
  expect(await diffTexts(many("a"), many("b"))).toBeNull();
});
