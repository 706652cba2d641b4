import { expect, test } from "vitest";
import { TableCollector } from "./collector";
import { RowCutter } from "./delimited";
import { findFiles } from "./files";
import { matchPattern, planMLTable } from "./mltable";
import { createReader, nameColumns } from "./readers";
import { ColumnTally, MOST_DISTINCT } from "./summary";

function cut(text: string, size: number, isMultiLine = true): string[][] {
  const cutter = new RowCutter({ separator: ",", isMultiLine });
  const rows: string[][] = [];
  for (let at = 0; at < text.length; at += size) rows.push(...cutter.push(text.slice(at, at + size)));
  return [...rows, ...cutter.finish()];
}

test("rows are the same, however the text is cut", () => {
  const text = 'a,b\r\n"x,1","say ""hi"""\n"two\nlines",3\r\n\n,\n"",last';
  const rows = [["a", "b"], ["x,1", 'say "hi"'], ["two\nlines", "3"], ["", ""], ["", "last"]];
  for (let size = 1; size <= text.length; size++) expect(cut(text, size)).toEqual(rows);
  expect(cut('a,"b\nc,d\n', 4, false)).toEqual([["a", "b"], ["c", "d"]]);
});

function tally(values: (string | undefined)[]) {
  const column = new ColumnTally("c");
  values.forEach((value) => column.addText(value));
  return column.summarize();
}

test("a column of numbers has its least, greatest and mean, what is missing, and twelve intervals", () => {
  const found = tally(["1", "2", "", "4", "NA", undefined, "2"]);
  expect(found).toMatchObject({ kind: "integer", count: 7, missing: 3, distinct: 3, min: "1", max: "4", mean: "2.25" });
  expect(found.bins).toHaveLength(12);
  expect(found.bins.reduce((sum, bin) => sum + bin.count, 0)).toBe(4);
  expect(found.bins[0].count + found.bins[11].count).toBe(2);
  expect(tally(["1.5", "2", "-1e3"])).toMatchObject({ kind: "number", min: "-1000", max: "2" });
  expect(tally(["3", "3"]).bins).toEqual([{ label: "3", count: 2 }]);
});

test("kinds of columns are told apart; one odd value makes text", () => {
  expect(tally(["true", "False", "true"])).toMatchObject({ kind: "boolean", distinct: 2 });
  expect(tally(["2024-01-01", "2024-03-01 12:00:00"])).toMatchObject({ kind: "time", min: "2024-01-01", max: "2024-03-01 12:00:00" });
  expect(tally(["1", "2", "x"])).toMatchObject({ kind: "text", min: "1", max: "x" });
  expect(tally(["", "NA"])).toMatchObject({ kind: "empty", missing: 2, bins: [] });
  expect(tally(["b", "a", "b"]).bins[0]).toEqual({ label: "b", count: 2 });
  expect(tally(["inf", "1"])).toMatchObject({ kind: "number", max: "1", distinct: 2 });
});

test("more distinct values than are counted are said to be more", () => {
  const found = tally(Array.from({ length: MOST_DISTINCT + 5 }, (_, k) => `name ${k}`));
  expect(found).toMatchObject({ distinct: MOST_DISTINCT, isDistinctExact: false, bins: [] });
});

function read(kind: "none" | "all" | "first", texts: string[], collector = new TableCollector()) {
  const reader = createReader({ kind: "delimited", separator: ",", header: kind, isMultiLine: true, encoding: "utf-8" }, collector);
  for (const text of texts) {
    reader.begin();
    reader.push(text);
    reader.finish();
  }
  return collector.finish(collector.read);
}

test("files of one table come together by the names of their columns", () => {
  const found = read("all", ["a,b\n1,2\n", "b,c\n3,4\n"]);
  expect(found.columns.map(({ name, missing }) => `${name} ${missing}`)).toEqual(["a 1", "b 0", "c 1"]);
  expect(found.rows).toEqual([["1", "2", null], [null, "3", "4"]]);
  expect(read("first", ["a\n1\n", "2\n"]).rows).toEqual([["1"], ["2"]]);
  expect(read("none", ["1,2\n", "3,4\n"]).columns.map(({ name }) => name)).toEqual(["Column1", "Column2"]);
  expect(nameColumns(["\ufeffa", "a", ""])).toEqual(["a", "a (2)", "Column3"]);
});

test("a window of rows and a choice of columns are kept", () => {
  const found = read("all", ["a,b\n1,x\n2,y\n3,z\n"], new TableCollector({ from: 1, to: 2 }, (name) => name === "b"));
  expect([found.read, found.rows]).toEqual([1, [["y"]]]);
});

test("lines of JSON are rows, whatever keys each has", () => {
  const collector = new TableCollector();
  const reader = createReader({ kind: "lines" }, collector);
  reader.begin();
  reader.push('{"a": 1}\n{"a": 2, "b": {"c": [1]}}\n{"a"');
  reader.push(": null}");
  reader.finish();
  const { columns, rows } = collector.finish(3);
  expect(columns.map(({ name, kind, missing }) => `${name} ${kind} ${missing}`)).toEqual(["a integer 1", "b text 2"]);
  expect(rows).toEqual([["1", null], ["2", '{"c":[1]}'], [null, null]]);
});

test("an MLTable's plan has what can be shown, and names what cannot", () => {
  const plan = planMLTable({
    paths: [{ file: "./a.csv" }, { pattern: "./more/**/*.csv" }],
    transformations: [{ read_delimited: { delimiter: ";", header: "no_header", encoding: "latin1" } }, { drop_columns: ["id"] }, { skip: 2 }, { take: 5 }, { filter: "a > 1" }, { take: 2 }],
  });
  expect(plan.reader).toEqual({ kind: "delimited", separator: ";", header: "none", isMultiLine: false, encoding: "windows-1252" });
  expect([plan.window, plan.drop, plan.leftOut]).toEqual([{ from: 2, to: 7 }, ["id"], ["filter", "take"]]);
  expect(() => planMLTable("x")).toThrow("names no paths");
});

test("patterns match as MLTable's do, and the files are found below the MLTable", async () => {
  const all = ["t/MLTable", "t/a.csv", "t/more/b.csv", "t/more/deep/c.csv", "t/more/d.txt"];
  expect(all.filter((path) => matchPattern("t/more/**/*.csv", path))).toEqual(["t/more/b.csv", "t/more/deep/c.csv"]);
  expect(matchPattern("t/*.csv", "t/more/b.csv")).toBe(false);
  const folder = {
    buildUrl: (path: string) => `/${path}`,
    list: async (path: string) => {
      if (all.includes(path)) return { value: [{ path, size: 1, is_dir: false }] };
      const below = all.filter((one) => one.startsWith(`${path}/`)).map((one) => one.slice(path.length + 1));
      const names = [...new Set(below.map((one) => one.split("/")[0]))];
      return { value: names.map((name) => ({ path: `${path}/${name}`, size: 1, is_dir: below.some((one) => one.startsWith(`${name}/`)) })) };
    },
  };
  const plan = planMLTable({ paths: [{ file: "./a.csv" }, { pattern: "more/**/*.csv" }, { file: "azureml://datastores/x/paths/y" }, { folder: "./more/deep" }] });
  const found = await findFiles(plan, folder, "t");
  expect(found.files.map(({ name }) => name)).toEqual(["t/a.csv", "t/more/b.csv", "t/more/deep/c.csv", "t/more/deep/c.csv"]);
  expect(found.elsewhere).toEqual(["azureml://datastores/x/paths/y"]);
});

test("values beyond the columns, and bytes that are no text, are counted", () => {
  const read = (text: string) => {
    const collector = new TableCollector();
    const reader = createReader({ kind: "delimited", separator: ",", header: "all", isMultiLine: true, encoding: "utf-8" }, collector);
    reader.begin();
    reader.push(text);
    reader.finish();
    return collector.finish(null);
  };
  expect(read("a,b\n1\n1,2,3\n1,2,\n")).toMatchObject({ read: 3, longRows: 1, isGarbled: false });
  expect(read(new TextDecoder().decode(new Uint8Array([110, 228, 109, 101, 10, 49, 10])))).toMatchObject({ longRows: 0, isGarbled: true });
});
