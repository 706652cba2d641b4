import { expect, test } from "vitest";
import { choosePreview, formatJson, isBinary } from "./preview";

test("a file is shown by its name", () => {
  const names = ["a.PNG", "b.csv", "c.json", "d.html", "MLmodel", "e.parquet", "f.svg", "g.txt", "h.jsonl", "in/MLTable", "i.pkl"];
  expect(names.map(choosePreview)).toEqual(["image", "table", "json", "page", "text", "table", "image", "text", "table", "mltable", "none"]);
});

test("what is no text is told apart, and JSON is written on lines", () => {
  expect([isBinary(new Uint8Array([80, 0, 1])), isBinary(new TextEncoder().encode("ä"))]).toEqual([true, false]);
  expect(formatJson('{"a":[1]}')).toBe('{\n  "a": [\n    1\n  ]\n}');
  expect(formatJson('{"a":')).toBe('{"a":');
});
