import { describe, expect, it } from "vitest";
import { Source } from "../yaml/source";
import { Changes } from "./changes";
import { listKeys, parseField, showList, type StepField } from "./step_fields";

const change = (text: string, path: string[], values: (string | number | boolean)[]) => new Changes(new Source(text)).setItems(path, values).source.text;

describe("a list", () => {
  const FLOW = 'a: 1\nvalues: ["rbf", linear, 3]  # why\nz: 1\n';
  const BLOCK = "task:\n  keys:\n    - Store  # first\n    - Brand\n  z: 1\n";
  it("is changed where it differs, and nowhere else", () => {
    expect(change(FLOW, ["values"], ["rbf", "poly", 3])).toBe(FLOW.replace("linear", "poly"));
    expect(change(FLOW, ["values"], ["x y", "linear", 3])).toBe(FLOW.replace("rbf", "x y"));
    expect(change(BLOCK, ["task", "keys"], ["Store", "Week"])).toBe(BLOCK.replace("Brand", "Week"));
    expect(change(BLOCK.replaceAll("\n", "\r\n"), ["task", "keys"], ["Shop", "Brand"])).toBe(BLOCK.replace("Store", "Shop").replaceAll("\n", "\r\n"));
  });
  it("gets more and fewer values", () => {
    expect(change(FLOW, ["values"], ["rbf", "linear", 3, "a, b", true])).toBe(FLOW.replace(", 3]", ', 3, "a, b", true]'));
    expect(change(FLOW, ["values"], ["poly"])).toBe(FLOW.replace('"rbf", linear, 3', '"poly"'));
    expect(change(BLOCK, ["task", "keys"], ["Store", "Brand", "Week"])).toBe(BLOCK.replace("- Brand\n", "- Brand\n    - Week\n"));
    expect(change(BLOCK, ["task", "keys"], ["Store"])).toBe(BLOCK.replace("    - Brand\n", ""));
  });
  it("is written anew where it is not plain, or is not there", () => {
    expect(new Source(change("a:\n  b: 1\n", ["a", "c"], ["x", 2])).data).toEqual({ a: { b: 1, c: ["x", 2] } });
    expect(new Source(change("a: [{b: 1}, 2]\n", ["a"], ["x", 2])).data).toEqual({ a: ["x", 2] });
  });
});

describe("a key of a step", () => {
  const integer: StepField = { kind: "integer", min: 1, max: 9 };
  it("takes what its kind takes, and says what it does not", () => {
    expect(parseField("n", integer, "7", undefined)).toEqual({ value: 7 });
    expect(parseField("n", integer, "1.5", 1)).toEqual({ problem: "'n' must be a whole number, not '1.5'" });
    expect(parseField("n", integer, "10", 1)).toEqual({ problem: "'n' must be at most 9, not 10" });
    expect(parseField("n", integer, "${{parent.inputs.n}}", 1)).toEqual({ value: "${{parent.inputs.n}}" });
    expect(parseField("n", { kind: "any" }, "10", 5)).toEqual({ value: 10 });
    expect(parseField("n", { kind: "any" }, "10", "5")).toEqual({ value: "10" });
    expect(parseField("n", { kind: "text" }, "10", undefined)).toEqual({ value: "10" });
    expect(parseField("n", { kind: "list" }, "a, 'b, c', 3", undefined)).toEqual({ value: ["a", "b, c", 3] });
    expect(parseField("n", { kind: "list" }, "[a", ["x"])).toHaveProperty("problem");
  });
  it("is shown as it is typed", () => {
    const values = ["a", "b, c", 3, "", "true", true];
    expect(parseField("n", { kind: "list" }, showList(values), values)).toEqual({ value: values });
  });
  it("is never left out, be it known or not", () => {
    const { shown, more } = listKeys({ condition: { kind: "any" }, tags: { kind: "map" } }, { type: "if_else", odd: 1 }, { type: "if_else", except: new Set(["type"]) });
    expect([shown, more]).toEqual([["condition", "odd"], ["tags"]]);
  });
});
