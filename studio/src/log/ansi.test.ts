import { expect, test } from "vitest";
import { parseColours } from "./ansi";

test("colours and bold end where they end", () => {
  expect(parseColours("a \x1b[1;31mbad\x1b[0m b")).toEqual([
    { text: "a ", colour: null, isBold: false },
    { text: "bad", colour: "red", isBold: true },
    { text: " b", colour: null, isBold: false },
  ]);
});

test("what moves a cursor is dropped, and text stays text", () => {
  expect(parseColours("\x1b[2K\x1b[1Gdone").map((span) => span.text)).toEqual(["done"]);
  expect(parseColours("<b>x</b>")).toEqual([{ text: "<b>x</b>", colour: null, isBold: false }]);
});
