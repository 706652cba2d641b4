import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { WorkspaceApi } from "../api/workspace";
import { bindPort, clearInput, removePipelinePort, removeSteps, renamePipelinePort, setField } from "./pipeline/changes";
import { assignData } from "./pipeline/data";
import type { FieldPlace } from "./fields";
import { DocumentRoutes } from "./routes";
import { removeGeneratedName } from "./documents";
import { describeRefusal, DesignerStore } from "./store";
import { dropUnsaved, findUnsaved, keepUnsaved, listUnsaved } from "./unsaved";
import { decodeFile, encodeFile, splitText } from "./yaml/encoding";
import { listFiles } from "./yaml/samples";

const routes = new DocumentRoutes({ own: "" } as WorkspaceApi);
const open = (text: string) => new DesignerStore(routes, { origin: { kind: "new" }, file: splitText(text), folder: null, positions: {} });
const TEXT = "jobs:\r\n  a:\r\n    command: x # why\r\n";

describe("a document", () => {
  it("is edited by the drawing and by hand, and undone step by step", () => {
    const store = open(TEXT);
    store.edit((changes) => setField(changes, ["jobs", "a", "command"], "w"));
    expect(store.joinedText).toBe(TEXT.replace("x #", "w #"));
    store.dispatch({ changes: { from: 0, insert: "# top\n" }, userEvent: "input.paste" });
    expect(store.drawing.steps[0].name).toBe("a");
    store.edit((changes) => {
      setField(changes, ["jobs", "a", "compute"], "c");
      setField(changes, ["jobs", "b"], { command: "z" });
    });
    expect(store.drawing.steps.map(({ name }) => name)).toEqual(["a", "b"]);
    store.undo();
    expect(store.joinedText).toBe("# top\r\n" + TEXT.replace("x #", "w #"));
    store.undo();
    store.undo();
    expect(store.joinedText).toBe(TEXT);
    store.redo();
    expect(store.joinedText).toBe(TEXT.replace("x #", "w #"));
  });
  it("gives a step data of the data's own type", () => {
    const store = open("jobs:\n  a:\n    command: cat ${{inputs.t}}\n    inputs:\n      t: {type: mltable, path: ./t, mode: direct}\n  b:\n    component: azureml://registries/smalt/components/c/versions/1\n");
    const flats = { name: "flats", type: "uri_file", path: "azureml:flats@latest" };
    store.edit((changes) => assignData(changes, store.drawing, store.drawing.steps[0], flats));
    expect(store.joinedText).toContain("t: {type: uri_file, path: azureml:flats@latest, mode: direct}");
    const [, b] = store.drawing.steps;
    const table = { name: "t", spec: { type: "mltable" }, given: { kind: "none" as const }, isDeclared: true };
    store.edit((changes) => assignData(changes, { ...store.drawing, steps: [{ ...b, inputs: [table] }] }, { ...b, inputs: [table] }, flats));
    expect(store.joinedText).toMatch(/type: uri_file,?\s+path: azureml:flats@latest[^,]/);
    const other = { ...b, component: "c", spec: { inputs: { t: table.spec } }, inputs: [table] };
    const assign = () => store.edit((changes) => assignData(changes, { ...store.drawing, steps: [other] }, other, flats));
    expect(assign).toThrow("the step's input 't' takes an mltable, a folder with a file 'MLTable', but the data 'flats' is a single file (uri_file)");
  });
  it("moves nodes without a change of the text, and back", () => {
    const store = open(TEXT);
    store.movePositions({ "step:a": [5, 6] });
    expect([store.positions, store.joinedText]).toEqual([{ "step:a": [5, 6] }, TEXT]);
    store.undo();
    expect(store.positions).toEqual({});
  });
  it("that did not parse when it was opened is not drawn until it does", () => {
    const store = open(`${TEXT}b: [\n`);
    expect([store.hasDrawing, store.drawing.steps]).toEqual([false, []]);
    store.dispatch({ changes: { from: TEXT.length, to: TEXT.length + 5 }, userEvent: "input.paste" });
    expect([store.hasDrawing, store.drawing.steps[0].name]).toEqual([true, "a"]);
  });
  it("stays as it is where a change would leave no YAML", () => {
    for (const [text, sentence] of [
      ["jobs:\n  a: &one\n    command: x\n  b: *one\n", "would not parse any more"],
      ["jobs:\n  ? a\n  : command: x\n  b: {command: y}\n", "the key 'a' is written with a question mark before it"],
    ]) {
      const store = open(text);
      expect(() => store.edit((changes) => removeSteps(changes, store.drawing, ["a"]))).toThrow(sentence);
      expect([store.text, store.isChanged, store.canUndo]).toEqual([text, true, false]);
      expect(store.drawing.steps.map(({ name }) => name)).toEqual(["a", "b"]);
    }
  });
  it("keeps a text that could not be taken with its step, also under another name, as long as the step is there", () => {
    const store = open("inputs: {n: 3}\njobs:\n  a:\n    inputs: {depth: 3}\n");
    const refused = { label: "value of depth", text: "x", why: "it must be a number, not 'x'", value: "3" };
    const [depth, n] = [{ path: ["jobs", "a", "inputs", "depth"] }, { path: ["inputs", "n"] }];
    store.getForm("a").refuse(depth, refused);
    store.getForm("a").refuse({ path: ["jobs", "a"], isKey: true }, { ...refused, label: "Name" });
    store.getForm(null).refuse(n, { ...refused, label: "Value of n" });
    store.getForm("a").refuse({ path: ["jobs", "a"], isKey: true }, null);
    store.select(["step:b"]);
    expect([store.problemCount, store.getForm("a").find(depth), store.getForm("b").find(depth)]).toMatchObject([2, refused, undefined]);
    expect(store.stepMarks).toBe(store.stepMarks); // else what is drawn of it would be drawn for ever
    expect(store.stepMarks.get("a")).toEqual(["value of depth: it must be a number, not 'x'"]);
    expect(store.refused.map(describeRefusal)).toEqual(["step 'a', value of depth: it must be a number, not 'x'", "the pipeline, Value of n: it must be a number, not 'x'"]);
    store.renameStep("a", "b");
    expect(store.getForm("b").find({ path: ["jobs", "b", "inputs", "depth"] })).toMatchObject(refused);
    store.edit((changes) => setField(changes, ["jobs", "b", "compute"], "c"));
    expect(store.getForm("b").has(["jobs", "b", "inputs"])).toBe(true);
    expect(() => store.renameStep("none", "c")).toThrow();
    expect(store.problemCount).toBe(2);
    store.getForm(null).refuse(n, null);
    store.edit((changes) => removeSteps(changes, store.drawing, ["b"]));
    expect([store.problemCount, store.refused]).toEqual([0, []]);
  });
  it("drops a text that could not be taken once its field is gone or shows another value", () => {
    const text = "inputs: {n: 3}\njobs:\n  a: {type: command, inputs: {k: 3, d: {type: uri_file, path: x}}}\n  b: {jobs: {c: {inputs: {k: 3}}}}\n";
    const refused = { label: "n", text: "x", why: "it must be a number", value: "3" };
    const k = ["jobs", "a", "inputs", "k"];
    const refusals: [string | null, FieldPlace][] = [[null, { path: ["inputs", "n"] }], [null, { path: ["inputs", "n"], isKey: true }], ["a", { path: k }], ["a", { path: ["jobs", "a", "compute"] }]];
    const edits: [number[], (store: DesignerStore) => void][] = [
      [[0, 1], (store) => store.edit((changes) => removePipelinePort(changes, store.drawing, "inputs", "n"))],
      [[0, 1], (store) => store.edit((changes) => renamePipelinePort(changes, [], "inputs", "n", "m"))],
      [[0], (store) => store.edit((changes) => setField(changes, ["inputs", "n"], 4))],
      [[2], (store) => store.edit((changes) => clearInput(changes, store.drawing.steps[0], "k"))],
      [[2], (store) => store.edit((changes) => bindPort(changes, store.drawing.steps[0], "k", "${{parent.inputs.n}}"))],
      [[2], (store) => store.dispatch({ changes: { from: text.indexOf("3, d"), to: text.indexOf(", d"), insert: "5" }, userEvent: "input.paste" })],
      [[2, 3], (store) => store.edit((changes) => setField(changes, ["jobs", "a", "type"], "sweep"))],
      [[], (store) => store.edit((changes) => setField(changes, ["jobs", "a", "inputs", "d", "path"], "y"))],
    ];
    edits.forEach(([dropped, edit], nth) => {
      const store = open(text);
      refusals.forEach(([step, place]) => store.getForm(step).refuse(place, refused));
      edit(store);
      expect(store.refused.map((one) => refusals.findIndex(([, { path, isKey }]) => one.path.join() === path.join() && one.isKey === isKey)), String(nth)).toEqual([0, 1, 2, 3].filter((one) => !dropped.includes(one)));
    });
    const nested = open(text);
    nested.openBase(["jobs", "b"]);
    nested.getForm("c").refuse({ path: ["jobs", "b", "jobs", "c", "inputs", "k"] }, refused);
    nested.openBase([]);
    nested.renameStep("b", "e");
    expect(nested.refused.map(describeRefusal)).toEqual(["step 'e / c', n: it must be a number"]);
    nested.edit((changes) => setField(changes, ["jobs", "e", "jobs", "c", "inputs", "k"], 4));
    expect(nested.refused).toEqual([]);
  });
  it("says what changed with an edit of lines that it shares", () => {
    const store = open("inputs:\n  n: &n 1\n  m: *n\njobs:\n  a: {inputs: &p {x: 1}}\n  b: {inputs: *p}\n  c: {inputs: {<<: *p}}\n");
    const heard: string[][] = [];
    store.onShared = (names) => heard.push(names);
    store.edit((changes) => setField(changes, ["inputs", "n"], 2));
    store.edit((changes) => setField(changes, ["jobs", "a", "inputs", "x"], 3));
    store.edit((changes) => setField(changes, ["jobs", "b", "inputs", "x"], 4));
    expect(heard).toEqual([["m"], ["b", "c"]]);
    expect(store.text).toContain("n: &n 2\n  m: *n\njobs:\n  a: {inputs: &p {x: 3}}\n  b: {inputs: {<<: *p, x: 4}}\n");
  });
  it("is left unsaved only if somebody changed it, and each new one is its own", () => {
    const [first, second] = [open("type: pipeline\n"), open("type: pipeline\n")];
    keepUnsaved("w", "new=1", first);
    expect(listUnsaved("w")).toEqual([]);
    for (const [store, query] of [[first, "new=1"], [second, "new=2"]] as const) {
      store.edit((changes) => setField(changes, ["description"], query));
      keepUnsaved("w", query, store);
    }
    expect(listUnsaved("w").map(({ query }) => query)).toEqual(["new=1", "new=2"]);
    expect([findUnsaved("w", "new=2"), findUnsaved("v", "new=2")]).toEqual([second, undefined]);
    const third = open("type: pipeline\n");
    third.getForm(null).refuse({ path: ["description"] }, { label: "Description", text: "x", why: "it is wrong", value: "" });
    keepUnsaved("w", "new=3", third);
    expect(findUnsaved("w", "new=3")).toBe(third);
    dropUnsaved("w", "new=3");
    dropUnsaved("w", "new=1");
    expect(listUnsaved("w").map(({ query }) => query)).toEqual(["new=2"]);
  });
  it("made of a job has no display name that nobody gave", () => {
    expect(removeGeneratedName("type: pipeline\ndisplay_name: busy_ant_1\njobs: {}\n", "busy_ant_1")).toBe("type: pipeline\njobs: {}\n");
    const given = "type: pipeline\ndisplay_name: Training\njobs: {}\n";
    expect(removeGeneratedName(given, "busy_ant_1")).toBe(given);
  });
  it("that does not parse keeps its last drawing, and is not drawn on", () => {
    const store = open(TEXT);
    store.dispatch({ changes: { from: 0, insert: "a: [\n" }, userEvent: "input.paste" });
    expect(store.source.isBroken).toBe(true);
    expect(store.drawing.steps[0].name).toBe("a");
    expect(() => store.edit((changes) => setField(changes, ["x"], 1))).toThrow("does not parse");
    store.undo();
    expect(store.source.isBroken).toBe(false);
  });
});

/** The committed samples, and the pipelines below the folder that STUDIO_PIPELINES names: `STUDIO_PIPELINES=… npx vitest run src/designer/store.test.ts`. */
const OWN = join(__dirname, "yaml/samples");
const given = process.env.STUDIO_PIPELINES;
const FILES = [...listFiles(OWN), ...(given ? listFiles(given) : [])].filter((file) => /^\s*jobs:/m.test(readFileSync(file, "utf8")) && /pipeline|samples/.test(file));

describe.each(FILES.map((file) => [relative(given && file.startsWith(given) ? given : OWN, file), file]))("%s", (name, file) => {
  const bytes = new Uint8Array(readFileSync(file));
  const opened = () => new DesignerStore(routes, { origin: { kind: "file", path: name, etag: "" }, file: decodeFile(bytes), folder: "", positions: {} });
  it("is saved unchanged byte for byte, and with one parameter changed in one line", () => {
    const store = opened();
    expect(encodeFile(store.fileText)).toEqual(bytes);
    expect(store.isChanged).toBe(false);
    const places = store.drawing.steps.flatMap((step) => step.inputs.filter(({ given: { kind } }) => kind === "literal").map((port) => [...step.path, "inputs", port.name]));
    for (const port of store.drawing.inputs) if (port.given.kind === "literal") places.push(["inputs", port.name]);
    if (!places.length) places.push(["display_name"]);
    const before = store.text.split("\n");
    for (const path of places) {
      const changed = opened();
      const isThere = changed.source.findPair(path) !== undefined;
      changed.edit((changes) => setField(changes, path, "changed"));
      const after = changed.text.split("\n");
      const differing = isThere ? after.filter((line, k) => line !== before[k]).length : 1;
      expect([after.length - before.length, differing], path.join(".")).toEqual([isThere ? 0 : 1, 1]);
      expect(changed.source.isBroken).toBe(false);
    }
    table.push([name, bytes.length, store.drawing.steps.length, store.drawing.edges.length, places.length]);
  });
});

const table: [string, number, number, number, number][] = [];
afterAll(() => {
  if (!given) return;
  console.log(["file | bytes | steps | edges | parameters changed", ...table.map((row) => row.join(" | ")), `${table.length} files`].join("\n"));
});
