import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isAlias, isScalar, visit, type Node, type Pair } from "yaml";
import { describe, expect, it } from "vitest";
import { decodeFile, encodeFile, splitText } from "./encoding";
import { listFiles } from "./samples";
import { Changes } from "../pipeline/changes";
import { addPair, removePair, renameKey, setValue } from "./edits";
import { applyEdit, Source, type Path, type Value } from "./source";

const set = (text: string, path: Path, value: Value) => applyEdit(text, setValue(new Source(text), path, value));
const add = (text: string, path: Path, key: string, value: Value) => applyEdit(text, addPair(new Source(text), path, key, value));
const remove = (text: string, path: Path) => applyEdit(text, removePair(new Source(text), path));
const read = (text: string) => new Source(text).data;

describe("a value", () => {
  it("keeps quotes, comments and everything around it", () => {
    const text = "# top\r\na:   1   # why\r\nb: 'x'\r\nc: \"y\" # q\r\n\r\n";
    expect(set(text, ["a"], 2)).toBe(text.replace("1   #", "2   #"));
    expect(set(text, ["b"], "it's")).toBe(text.replace("'x'", "'it''s'"));
    expect(set(text, ["c"], "z")).toBe(text.replace('"y"', '"z"'));
  });
  it("is written so that it is read as what it is", () => {
    for (const value of ["yes", "on", "no", "1.10", "0x10", "null", "~", "", " x", "a: b", "# c", "1e3", "1_000", "2020-01-01", "*a", "&a", "{x}", "${{parent.inputs.a}}", "- x", "true", "=", "0o7", "0777", "1:30"]) {
      const text = set("a: old\nb: 1\n", ["a"], value);
      expect(read(text)).toEqual({ a: value, b: 1 });
      expect(text.split("\n").length).toBe(3);
    }
    for (const value of [1, 0.5, true, false, null, -3, 1e-7]) expect(read(set("a: old\n", ["a"], value))).toEqual({ a: value });
  });
  it("is put where there is none", () => {
    expect(set("a:\nb: 1\n", ["a"], "x")).toBe("a: x\nb: 1\n");
    expect(set("a: # why\nb: 1\n", ["a"], "x")).toBe("a: x # why\nb: 1\n");
    expect(set("a:\n", ["a"], { type: "uri_file" })).toBe("a:\n  type: uri_file\n");
    expect(set("a: {b: 1}\n", ["a", "c"], "x")).toBe("a: {b: 1, c: x}\n");
    expect(set("a:\n  b: 1", ["a", "c"], "x")).toBe("a:\n  b: 1\n  c: x");
    expect(set("a: 1\n", ["x", "w", "z"], 5)).toBe("a: 1\nx:\n  w:\n    z: 5\n");
  });
  it("takes the place of a mapping, of an alias, and of a block", () => {
    expect(set("a:\n  type: uri_folder # x\n  path: y\nb: 1\n", ["a"], "z")).toBe("a: z\nb: 1\n");
    expect(set("a: {type: x}\nb: 1\n", ["a"], "z")).toBe("a: z\nb: 1\n");
    expect(set("a: &q 1\nb: *q\n", ["b"], 2)).toBe("a: &q 1\nb: 2\n");
    expect(set("a: &q 1\nb: *q\n", ["a"], 2)).toBe("a: &q 2\nb: *q\n");
    expect(set("a: |\n  x\n  y\nb: 1\n", ["a"], "p\nq\n")).toBe("a: |\n  p\n  q\nb: 1\n");
    expect(set("a: |\n  x\n  y\nb: 1\n", ["a"], 5)).toBe("a: 5\nb: 1\n");
    expect(set("a: x\nb: 1\n", ["a"], { type: "uri_file", path: "p" })).toBe("a:\n  type: uri_file\n  path: p\nb: 1\n");
    expect(read(set("a: x\nb: 1\n", ["a"], { type: "uri_file", path: "p" }))).toEqual({ a: { type: "uri_file", path: "p" }, b: 1 });
  });
  it("of several lines is a block where it can be", () => {
    expect(set("a:\n  b: x\n  c: 1\n", ["a", "b"], "p\nq")).toBe("a:\n  b: |-\n    p\n    q\n  c: 1\n");
    for (const value of ["p\nq\n", "p\n\nq", " p\nq", "p\nq\n\n", "# x\ny", "\n", "a\tb\nc", "é\nü", "p\r\nq"]) {
      for (const text of ["a:\n  b: x\n  c: 1\n", "a:\n  b: x # why\n  c: 1\n", "a: {b: x, c: 1}\n", "a:\n  b: ''\n  c: 1", "a:\n  c: 1\n  b: x"]) {
        expect(read(set(text, ["a", "b"], value)), `${text} ${JSON.stringify(value)}`).toEqual({ a: { b: value, c: 1 } });
      }
    }
  });
  it("of a merged mapping is added to the step's own", () => {
    const text = "base: &base\n  x: 1\na:\n  <<: *base\n  y: 2\n";
    expect(set(text, ["a", "x"], 5)).toBe(`${text}  x: 5\n`);
    expect(read(set(text, ["a", "x"], 5))).toMatchObject({ a: { x: 5, y: 2 } });
  });
});

describe("a value that comes from another part of the file", () => {
  const TEXT = "a:\n  inputs: &ports # theirs\n    n: 1\n    d: {type: uri_file, path: x}\nb:\n  inputs: *ports # the same\nc:\n  <<: {inputs: *ports}\n";
  it("is overridden where it is used: the others stay, and so do anchor and alias", () => {
    const text = set(TEXT, ["b", "inputs", "n"], 5);
    expect(text).toBe(TEXT.replace("  inputs: *ports # the same\n", "  inputs: # the same\n    <<: *ports\n    n: 5\n"));
    expect(read(text)).toMatchObject({ a: { inputs: { n: 1 } }, b: { inputs: { n: 5, d: { path: "x" } } } });
    expect(read(set(TEXT, ["b", "inputs", "d", "path"], "y"))).toMatchObject({ a: { inputs: { d: { path: "x" } } }, b: { inputs: { n: 1, d: { type: "uri_file", path: "y" } } } });
    expect(set("a: &p {n: 1}\nb: {inputs: *p}\n", ["b", "inputs", "n"], "x, y")).toBe('a: &p {n: 1}\nb: {inputs: {<<: *p, n: "x, y"}}\n');
  });
  it("of a merged mapping keeps what else was merged", () => {
    const text = set(TEXT, ["c", "inputs", "n"], 5);
    expect(text.startsWith(TEXT)).toBe(true);
    expect(read(text)).toMatchObject({ a: { inputs: { n: 1 } }, c: { inputs: { n: 5, d: { type: "uri_file", path: "x" } } } });
    expect(() => set(TEXT.replace("n: 1", "n: 1.0"), ["c", "inputs", "m"], 5)).toThrow("'inputs' comes from another part of the file (by '*' or '<<'), where 1.0 would lose digits in a copy");
  });
  it("is not removed where it is used", () => {
    const changes = new Changes(new Source(TEXT));
    for (const step of ["b", "c"]) expect(() => changes.remove([step, "inputs", "n"])).toThrow("'n' comes from another part of the file (by '*' or '<<'), so it cannot be removed here");
    expect(changes.remove(["b", "inputs", "none"]).remove(["none", "n"]).edits).toEqual([]);
  });
});

describe("a pair", () => {
  it("is added after the last one, above the comments that follow", () => {
    expect(add("jobs:\n  a:\n    x: 1\n\n# end\n", ["jobs"], "b", { w: 2 })).toBe("jobs:\n  a:\n    x: 1\n  b:\n    w: 2\n\n# end\n");
    expect(add("jobs: {}\n", ["jobs"], "b", 1)).toBe("jobs:\n  b: 1\n");
    expect(add("jobs:\n", ["jobs"], "b", 1)).toBe("jobs:\n  b: 1\n");
    expect(add("jobs: {a: {}}\n", ["jobs", "a"], "b", 1)).toBe("jobs: {a: {b: 1}}\n");
    expect(add("", [], "type", "pipeline")).toBe("type: pipeline\n");
    expect(add("# only a comment", [], "type", "pipeline")).toBe("# only a comment\ntype: pipeline\n");
    expect(add("a: |\n  text\n", [], "b", 1)).toBe("a: |\n  text\nb: 1\n");
    expect(add("a: {b: }\n", ["a", "b"], "c", 1)).toBe("a: {b:  {c: 1}}\n");
  });
  it("is removed with its lines alone", () => {
    expect(remove("a: 1\n# of b\nb: 2\n# of c\nc: 3\n", ["b"])).toBe("a: 1\n# of b\n# of c\nc: 3\n");
    expect(remove("a: 1\nb:\n  c: 1 # x\n", ["b"])).toBe("a: 1\n");
    expect(remove("a: 1\nb: 2", ["b"])).toBe("a: 1");
    expect(remove("a:\n  b: 1\n", ["a", "b"])).toBe("a:\n  {}\n");
    expect(remove("a: {b: 1, c: 2}\n", ["a", "b"])).toBe("a: {c: 2}\n");
    expect(remove("a: {b: 1, c: 2}\n", ["a", "c"])).toBe("a: {b: 1}\n");
  });
  it("is renamed at its key", () => {
    expect(applyEdit("a: 1 # x\n", renameKey(new Source("a: 1 # x\n"), ["a"], "b"))).toBe("b: 1 # x\n");
  });
});

describe("a file", () => {
  it.each([["dos", "a: 1\r\nb: 2\r\n"], ["mark", "\ufeffa: 1\n"], ["mixed", "a: 1\r\nb: 2\nc: 3\r"], ["no end", "a: 1\nb: 2"], ["tabs", "a:\t1\t# x \n\n\n"], ["empty", ""], ["dos mark", "\ufeffa: 1\r\n"]])("%s comes back byte for byte", (_, text) => {
    const bytes = new TextEncoder().encode(text);
    expect(encodeFile(decodeFile(bytes))).toEqual(bytes);
  });
  it("with other bytes than UTF-8 is refused", () => {
    expect(() => decodeFile(new Uint8Array([0x61, 0xff]))).toThrow("not UTF-8");
  });
  it("has \\n within if it has \\r\\n everywhere", () => {
    expect(splitText("a\r\nb\r\n").text).toBe("a\nb\n");
    expect(splitText("a\r\nb\n").text).toBe("a\r\nb\n");
  });
});

/** Committed pipelines of many styles, and those of the folder that STUDIO_PIPELINES names. */
const OWN = join(__dirname, "samples");
const FILES = [...listFiles(OWN), ...(process.env.STUDIO_PIPELINES ? listFiles(process.env.STUDIO_PIPELINES) : [])].filter((file) => /^jobs:/m.test(readFileSync(file, "utf8")));

describe.each(FILES)("%s", (file) => {
  const bytes = new Uint8Array(readFileSync(file));
  const { text } = decodeFile(bytes);
  const source = new Source(text);
  const places: [Path, Node][] = [];
  if (!source.isBroken) {
    visit(source.doc, {
      Pair(_, pair, ancestors) {
        const keys = [...ancestors, pair].filter((one) => "key" in (one as object)).map((one) => String(((one as Pair).key as { source?: string; value: unknown }).source ?? ((one as Pair).key as { value: unknown }).value));
        const isInList = ancestors.some((one) => "items" in (one as object) && (one as { constructor: { name: string } }).constructor.name === "YAMLSeq");
        if (!isInList && !keys.includes("<<") && (isScalar(pair.value) || isAlias(pair.value))) places.push([keys, pair.value as Node]);
      },
    });
  }
  it("saved unchanged has the same bytes", () => expect(encodeFile(decodeFile(bytes))).toEqual(bytes));
  it("with one value changed differs in one line", () => {
    expect(places.length).toBeGreaterThan(0);
    for (const [path, node] of places) {
      const isBlock = isScalar(node) && (node.type === "BLOCK_LITERAL" || node.type === "BLOCK_FOLDED");
      const isLong = text.slice(node.range![0], node.range![1]).includes("\n");
      for (const value of ["changed", 7, true, "a: b", "${{parent.inputs.x}}"]) {
        const changed = set(text, path, value);
        const after = new Source(changed);
        expect(after.isBroken, `${path.join(".")} = ${value}: ${after.doc.errors[0]}\n${changed}`).toBe(false);
        const found = path.reduce<any>((data, key) => data?.[key], after.data);
        expect(found, `${path.join(".")}\n${changed}`).toEqual(value);
        if (!isBlock && !isLong) expect(countDifferences(text, changed), `${path.join(".")} = ${value}`).toBeLessThanOrEqual(1);
      }
    }
  });
});

function countDifferences(before: string, after: string): number {
  const [a, b] = [before.split("\n"), after.split("\n")];
  if (a.length !== b.length) return Infinity;
  return a.filter((line, k) => line !== b[k]).length;
}
