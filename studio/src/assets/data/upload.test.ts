import { expect, it } from "vitest";
import { describeChoice, makeTarget, placeFiles, suggestName } from "./upload";

const make = (name: string, webkitRelativePath = "", size = 1) => ({ name, webkitRelativePath, size }) as File;

it("what was chosen is a file, files, a folder, or a table", () => {
  const show = (...files: File[]) => {
    const { name, types, size, files: placed } = describeChoice(files)!;
    return [name, types, size, placed.map(({ path }) => path)];
  };
  expect(describeChoice([])).toBe(null);
  expect(show(make("cars.csv"))).toEqual(["cars.csv", ["uri_file", "uri_folder"], 1, [""]]);
  expect(show(make("a.csv"), make("b.csv"))).toEqual(["files", ["uri_folder"], 2, ["a.csv", "b.csv"]]);
  expect(show(make("a.csv", "cars/a.csv"))).toEqual(["cars", ["uri_folder"], 1, ["a.csv"]]);
  expect(show(make("MLTable", "cars/MLTable"), make("a", "cars/x/a"))).toEqual(["cars", ["mltable", "uri_folder"], 2, ["MLTable", "x/a"]]);
  expect(show(make("MLTable", "cars/x/MLTable"))[1]).toEqual(["uri_folder"]);
});

it("a file is uploaded as a file, or into a folder", () => {
  const chosen = describeChoice([make("cars.csv")])!;
  expect(makeTarget(chosen, "uri_file")).toMatch(/^LocalUpload\/[0-9a-f]{32}\/cars\.csv$/);
  expect(makeTarget(chosen, "uri_folder")).toMatch(/^LocalUpload\/[0-9a-f]{32}\/files$/);
  expect([placeFiles(chosen, "uri_file")[0].path, placeFiles(chosen, "uri_folder")[0].path]).toEqual(["", "cars.csv"]);
});

it("a name that an asset can have is suggested", () => {
  expect([suggestName("my cars (2).csv"), suggestName(".hidden"), suggestName("cars")]).toEqual(["my_cars_2_", "", "cars"]);
});
