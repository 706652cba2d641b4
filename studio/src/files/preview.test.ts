import { expect, test } from "vitest";
import { choosePreview, formatJson, isBinary, parseTable } from "./preview";

test("a file is shown by its name", () => {
  const names = ["a.PNG", "b.csv", "c.json", "d.html", "MLmodel", "e.parquet", "f.svg", "g.txt"];
  expect(names.map(choosePreview)).toEqual(["image", "table", "json", "page", "text", "none", "image", "text"]);
});

test("a table with quotes, line ends in cells, and a row that is cut off", () => {
  expect(parseTable('a,b\r\n"x,1","say ""hi"""\n"two\nlines",3\n', ",", false)).toEqual([["a", "b"], ["x,1", 'say "hi"'], ["two\nlines", "3"]]);
  expect(parseTable("a\tb\n1\t2\n3\t", "\t", true)).toEqual([["a", "b"], ["1", "2"]]);
  expect(parseTable("a,b\n1,", ",", false)).toEqual([["a", "b"], ["1", ""]]);
  expect(parseTable("a\n".repeat(9), ",", false, 4)).toHaveLength(4);
});

test("what is no text is told apart, and JSON is written on lines", () => {
  expect([isBinary(new Uint8Array([80, 0, 1])), isBinary(new TextEncoder().encode("ä"))]).toEqual([true, false]);
  expect(formatJson('{"a":[1]}')).toBe('{\n  "a": [\n    1\n  ]\n}');
  expect(formatJson('{"a":')).toBe('{"a":');
});
