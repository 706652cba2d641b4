import { describe, expect, it } from "vitest";
import { Source } from "../yaml/source";
import { addInput, addStep, bindPort, Changes, connectInput, connectOutput, connectSteps, copySteps, makeFreeName, makeStepName, pasteSteps, removePipelinePort, removeSteps, renamePipelinePort, renameStep, setField, setInput } from "./changes";
import { readDrawing, type Interfaces } from "./drawing";
import { findStepNames, listNamedSteps, parseReference } from "./expressions";
import { alignNodes, placeNodes } from "./placement";
import { explainMismatch, isClassic, noteDifference } from "./ports";
import { dropBeginning, groupProblems, normalizePath } from "./problems";
import { CLASSIC_AND_V2, CLASSIC_NEEDS_V1, explainAddition, explainConnection, explainData, noteConnection } from "./rules";
import { describeSpec, parseTyped, startValue } from "./values";

const INTERFACES: Interfaces = {
  "./prepare.yml": { name: "prepare", type: "command", inputs: { raw: { type: "uri_folder" }, rows: { type: "integer", min: 1, max: 9, default: 3 } }, outputs: { data: { type: "uri_folder" } }, file: "flows/prepare.yml" },
  "azureml:train:1": { name: "train", inputs: { data: { type: "uri_folder" }, rate: { type: "number" }, tag: { type: "string", optional: true } }, outputs: { model: { type: "mlflow_model" } } },
  "azureml:old:1": { name: "old", inputs: { data: { type: "DataFrameDirectory" }, n: { type: "integer" } }, outputs: { out: { type: "DataFrameDirectory" } } },
};
const TEXT = `type: pipeline
inputs:
  raw: {type: uri_folder, path: ./data}
  rate: 0.5   # a rate
  files: {type: tabular, path: azureml:t:1}
outputs:
  model: {type: mlflow_model}
jobs:
  # the first
  prepare:
    type: command
    component: ./prepare.yml   # here
    inputs:
      raw: \${{parent.inputs.raw}}
  train:
    component: azureml:train:1
    inputs:
      data: \${{parent.jobs.prepare.outputs.data}}
      rate: \${{parent.inputs.rate}}
  show:
    command: cat \${{inputs.model}}
    environment: azureml:host@latest
    inputs:
      model:
        type: uri_folder
        path: \${{parent.jobs.train.outputs.model}}
        mode: download
# end
`;
const read = (text: string) => readDrawing(new Source(text), INTERFACES);
const drawing = read(TEXT);
const step = (name: string, of = drawing) => of.steps.find((one) => one.name === name)!;
function change(make: (changes: Changes, of: typeof drawing) => void, text = TEXT): string {
  const changes = new Changes(new Source(text));
  make(changes, read(text));
  return changes.source.text;
}

describe("a drawing", () => {
  it("has the steps, ports and edges of the text", () => {
    expect(drawing.steps.map(({ name }) => name)).toEqual(["prepare", "train", "show"]);
    expect(step("train").inputs.map(({ name, given }) => [name, given.kind])).toEqual([["data", "reference"], ["rate", "reference"], ["tag", "none"]]);
    expect(step("show").inputs[0].spec.type).toBe("uri_folder");
    expect(drawing.edges.map(({ id }) => id)).toEqual(["input:raw.raw>step:prepare.raw", "step:prepare.data>step:train.data", "input:rate.rate>step:train.rate", "step:train.model>step:show.model"]);
    expect(drawing.inputs.map(({ name, spec }) => [name, spec.type])).toEqual([["raw", "uri_folder"], ["rate", "number"], ["files", "tabular"]]);
  });
  it("shows conditions, nested pipelines and aliases", () => {
    const found = read("type: pipeline\njobs:\n  check: {command: x}\n  choose:\n    type: if_else\n    condition: ${{parent.jobs.check.outputs.ok}}\n    true_block: ${{parent.jobs.after}}\n  after: &a {command: y}\n  again: *a\n  nested:\n    type: pipeline\n    jobs: {inner: {command: z}}\n");
    expect(step("nested", found).inner).toEqual(["jobs", "nested"]);
    expect(step("again", found).isAlias).toBe(true);
    expect(found.edges.map(({ from, to }) => [from, to])).toContainEqual(["step:choose", "step:after"]);
    const source = new Source("jobs:\n  nested: {type: pipeline, jobs: {inner: {command: z}}}\n");
    expect(readDrawing(source, {}, ["jobs", "nested"]).steps.map(({ name }) => name)).toEqual(["inner"]);
  });
  it("survives anything that YAML can say", () => {
    for (const text of ["", "a", "- 1\n- 2\n", "jobs: 5\n", "jobs: [a]\n", "jobs: {a: 1, b: null, c: [x]}\n", "inputs: {a: [1]}\njobs: {a: {inputs: [1], outputs: x, component: {a: 1}}}\n", "? {a: 1}\n: b\n"]) {
      expect(() => placeNodes(read(text), {})).not.toThrow();
    }
  });
});

describe("a change", () => {
  it("of a value touches its line", () => {
    const set = change((changes, of) => setInput(changes, step("prepare", of), step("prepare", of).inputs[1], 5));
    expect(set).toBe(TEXT.replace("raw: ${{parent.inputs.raw}}\n", "raw: ${{parent.inputs.raw}}\n      rows: 5\n"));
    expect(change((changes) => setField(changes, ["settings", "force_rerun"], true))).toBe(TEXT.replace("# end\n", "settings:\n  force_rerun: true\n# end\n"));
    expect(change((changes) => setField(changes, ["inputs", "rate"], 0.7))).toBe(TEXT.replace("0.5 ", "0.7 "));
  });
  it("connects and disconnects", () => {
    const bound = change((changes, of) => connectInput(changes, "raw", step("train", of), "data"));
    expect(bound).toBe(TEXT.replace("data: ${{parent.jobs.prepare.outputs.data}}", "data: ${{parent.inputs.raw}}"));
    expect(change((changes, of) => connectSteps(changes, step("prepare", of), "data", step("show", of), "model"))).toBe(TEXT.replace("outputs.model}}\n        mode", "outputs.data}}\n        mode").replace("path: ${{parent.jobs.train.outputs.data", "path: ${{parent.jobs.prepare.outputs.data"));
    expect(change((changes, of) => connectOutput(changes, step("train", of), "model", "model"))).toContain("    outputs:\n      model: ${{parent.outputs.model}}\n  show:");
    expect(change((changes, of) => bindPort(changes, step("train", of), "rate", "${{parent.inputs.x}}"))).toBe(TEXT.replace("parent.inputs.rate", "parent.inputs.x"));
  });
  it("adds and removes steps, with what others took from them", () => {
    expect(change((changes) => addStep(changes, [], { name: "more", body: { type: "command", component: "./prepare.yml" } }))).toBe(TEXT.replace("# end\n", "  more:\n    type: command\n    component: ./prepare.yml\n# end\n"));
    expect(change((changes) => addStep(changes, [], { name: "one", body: { command: "x" } }), "")).toBe("type: pipeline\njobs:\n  one:\n    command: x\n");
    const without = change((changes, of) => removeSteps(changes, of, ["train"]));
    expect(without).toContain("  # the first\n  prepare:");
    expect(without).not.toContain("train");
    expect(read(without).steps.map(({ name }) => name)).toEqual(["prepare", "show"]);
    expect(read(change((changes, of) => removeSteps(changes, of, ["prepare", "train", "show"]))).steps).toEqual([]);
  });
  it("renames a step and a port wherever they are named, and not in comments", () => {
    const renamed = change((changes) => renameStep(changes, [], "prepare", "clean"));
    expect(renamed).toBe(TEXT.replace("  prepare:\n", "  clean:\n").replace("parent.jobs.prepare.outputs", "parent.jobs.clean.outputs"));
    const commented = TEXT.replace("# end", "# ${{parent.jobs.prepare.outputs.data}}");
    expect(change((changes) => renameStep(changes, [], "prepare", "clean"), commented)).toContain("# ${{parent.jobs.prepare.outputs.data}}");
    expect(change((changes) => renamePipelinePort(changes, [], "inputs", "rate", "speed"))).toBe(TEXT.replace("  rate: 0.5", "  speed: 0.5").replace("parent.inputs.rate", "parent.inputs.speed"));
    const gone = change((changes, of) => removePipelinePort(changes, of, "inputs", "rate"));
    expect(gone).toBe(TEXT.replace("  rate: 0.5   # a rate\n", "").replace("      rate: ${{parent.inputs.rate}}\n", ""));
  });
  it("copies steps with their comments, and renames the copies among each other", () => {
    const copied = copySteps(new Source(TEXT), [], ["prepare", "train"]);
    expect(copied).toContain("component: ./prepare.yml   # here");
    const pasted = change((changes, of) => pasteSteps(changes, of, copied));
    expect(read(pasted).steps.map(({ name }) => name)).toEqual(["prepare", "train", "show", "prepare_2", "train_2"]);
    expect(pasted).toContain("data: ${{parent.jobs.prepare_2.outputs.data}}");
    expect(pasted).toContain("data: ${{parent.jobs.prepare.outputs.data}}");
    expect(pasted.match(/# here/g)).toHaveLength(2);
    expect(pasted.startsWith(TEXT.split("# end")[0])).toBe(true);
    expect(() => change((changes, of) => pasteSteps(changes, of, "just a text"))).toThrow("no step of a pipeline");
    expect(read(change((changes, of) => pasteSteps(changes, of, "a: {command: x}\n"), "type: pipeline\n")).steps.map(({ name }) => name)).toEqual(["a"]);
  });
  it("adds inputs of the pipeline", () => {
    expect(change((changes) => addInput(changes, { base: [], kind: "job" }, "n", "integer", 3))).toContain("  files: {type: tabular, path: azureml:t:1}\n  n: 3\noutputs:");
    expect(change((changes) => addInput(changes, { base: [], kind: "job" }, "n", "number", startValue("number")), "type: pipeline\n")).toBe("type: pipeline\ninputs:\n  n:\n"); // nothing until somebody says it
    expect(change((changes) => addInput(changes, { base: [], kind: "component" }, "n", "number", startValue("number")), "type: pipeline\n")).toBe("type: pipeline\ninputs:\n  n:\n    type: number\n");
    expect(change((changes) => addInput(changes, { base: [], kind: "job" }, "d", "uri_file", "./x"), "type: pipeline\n")).toBe("type: pipeline\ninputs:\n  d:\n    type: uri_file\n    path: ./x\n");
  });
  it("declares inputs of a component", () => {
    const of = { base: [], kind: "component" as const };
    expect(change((changes) => addInput(changes, of, "n", "integer", 3), "type: pipeline\nversion: 1\n")).toContain("inputs:\n  n:\n    type: integer\n    default: 3\n");
    expect(change((changes) => addInput(changes, of, "d", "uri_file", ""), "type: pipeline\nversion: 1\n")).toContain("inputs:\n  d:\n    type: uri_file\n");
  });
  it("makes names", () => {
    expect(makeFreeName("a", new Set(["a", "a_2"]))).toBe("a_3");
    expect(makeFreeName("a_2", new Set(["a_2"]))).toBe("a_3");
    expect([makeStepName("Train Model"), makeStepName("azureml:my-train"), makeStepName("1b"), makeStepName("…")]).toEqual(["train_model", "my_train", "step_1b", "step"]);
  });
});

describe("a connection", () => {
  const explain = (from: string, port: string, to: string, input: string, of = drawing) => explainConnection(of, { node: from, port }, { node: to, port: input });
  it("gives no step a file for a folder with a certain file, in the sentence of the command line", () => {
    const interfaces: Interfaces = {
      "./read.yml": { type: "command", inputs: { d: { type: "mltable" }, m: { type: "mlflow_model" }, uri: { type: "mltable", mode: "direct" } }, outputs: { rows: { type: "uri_file" } } },
      "azureml://registries/Smalt/components/split/versions/1": { type: "command", inputs: { d: { type: "mltable" } } },
      "./part.yml": { type: "pipeline", inputs: { d: { type: "mltable" } } },
    };
    const jobs = "  a: {component: ./read.yml}\n  b: {component: ./read.yml}\n  split: {component: azureml://registries/Smalt/components/split/versions/1}\n  part: {component: ./part.yml}\n";
    const of = readDrawing(new Source(`type: pipeline\ninputs:\n  raw: {type: uri_file, path: ./x.csv}\n  text: {type: uri_file, path: ./x.csv, mode: direct}\njobs:\n${jobs}`), interfaces);
    const takes = "the step's input 'd' takes an mltable, a folder with a file 'MLTable', but ";
    const instead = ", or, to read the file as it is, declare the step's input as uri_file, in its component if it has one";
    expect(explain("input:raw", "raw", "step:b", "d", of)).toBe(`${takes}the pipeline's input 'raw' is a single file (uri_file); give the pipeline such a folder with 'type: mltable'${instead}`);
    expect(explain("step:a", "rows", "step:b", "d", of)).toBe(`${takes}the output 'rows' of 'a' is a single file (uri_file); write such a folder and declare it as mltable in the component of 'a'${instead}`);
    expect(explain("step:a", "rows", "step:b", "m", of)).toMatch(/takes an mlflow_model.*declare the step's input as custom_model, in its component if it has one$/);
    expect(explainData(of, { node: "step:b", port: "d" }, "uri_file", "the data 'x'")).toBe(`${takes}the data 'x' is a single file (uri_file); give it such a folder with 'type: mltable'${instead}`);
    expect(explainData(of, { node: "step:b", port: "d" }, "uri_folder", "the data 'x'")).toBeNull();
    expect(explain("input:text", "text", "step:b", "d", of)).toBeNull();
    for (const [to, port] of [["step:b", "uri"], ["step:split", "d"], ["step:part", "d"]]) {
      expect(explain("step:a", "rows", to, port, of)).toBeNull();
      expect(explainData(of, { node: to, port }, "uri_file", "it")).toBeNull();
    }
  });
  it("fits by type, in the sentences of the command line", () => {
    expect(explain("step:prepare", "data", "step:train", "data")).toBeNull();
    expect(explain("step:prepare", "data", "step:train", "rate")).toBe("the input 'rate' must be a number, but the output 'data' of 'prepare' is data (uri_folder)");
    expect(explain("input:raw", "raw", "step:train", "rate")).toBe("the input 'rate' must be a number, but the pipeline's input 'raw' is data (uri_folder)");
    expect(explain("input:rate", "rate", "step:train", "data")).toBe("the input 'data' must be data (uri_folder), but the pipeline's input 'rate' is a number");
    expect(explainMismatch("n", "number", "integer", "it")).toBeNull();
    expect(explainMismatch("n", "integer", "number", "it")).not.toBeNull();
    expect(explainMismatch("n", "string", "boolean", "it")).toBeNull();
    expect(explainMismatch("d", "mltable", "uri_file", "it")).toBeNull();
    expect(explainMismatch("d", "uri_folder", "mlflow_model", "it")).toBeNull();
    expect(explainMismatch("d", "mlflow_model", "uri_folder", "it")).toBeNull();
    expect(explainMismatch("d", "mlflow_model", "custom_model", "it")).toBeNull();
    expect(explainMismatch("d", "custom_model", "mltable", "it")).toBe("the input 'd' must be a model (custom_model), but it is data (mltable)");
    expect(explainMismatch("d", "mltable", "mlflow_model", "the output 'm' of 't'")).toBe("the input 'd' must be data (mltable), but the output 'm' of 't' is a model (mlflow_model)");
    expect(explainMismatch("m", "mlflow_model", "mltable", "it")).toBe("the input 'm' must be a model (mlflow_model), but it is data (mltable)");
    expect(noteDifference("mltable", "uri_file")).toContain("uri_file is given where mltable");
    expect(noteConnection(drawing, { node: "step:train", port: "model" }, { node: "step:show", port: "model" })).toContain("mlflow_model");
  });
  it("goes in no circle, and not to itself", () => {
    expect(explain("step:train", "model", "step:prepare", "raw")).toContain("in a circle");
    expect(explain("step:show", "x", "step:show", "model")).toContain("its own output");
    expect(explain("step:train", "model", "step:train", "data")).toContain("its own output");
  });
  it("writes an output of the pipeline once", () => {
    const two = read(change((changes, of) => connectOutput(changes, step("train", of), "model", "model")));
    expect(explain("step:prepare", "data", "output:model", "model", two)).toContain("'train' writes the pipeline's output 'model' already");
    expect(explain("step:train", "model", "output:model", "model", two)).toBeNull();
    expect(explain("input:raw", "raw", "output:model", "model")).toContain("written by a step");
  });
  it("does not mix classic and v2 components, and gives classic ones v1 datasets alone", () => {
    const old = read("type: pipeline\ninputs:\n  v1: {type: tabular, path: azureml:t:1}\n  v2: {type: uri_folder, path: ./x}\n  n: 3\njobs:\n  a: {component: 'azureml:old:1'}\n  b: {component: 'azureml:old:1'}\n  c: {component: 'azureml:train:1'}\n");
    expect(explain("step:a", "out", "step:b", "data", old)).toBeNull();
    expect(explain("step:a", "out", "step:c", "data", old)).toBe(CLASSIC_AND_V2);
    expect(explain("step:c", "model", "step:a", "data", old)).toBe(CLASSIC_AND_V2);
    expect(explain("input:v2", "v2", "step:a", "data", old)).toBe(CLASSIC_NEEDS_V1);
    expect(explain("input:v1", "v1", "step:a", "data", old)).toBeNull();
    expect(explain("input:v1", "v1", "step:c", "data", old)).toBeNull();
    expect(explain("input:n", "n", "step:a", "n", old)).toBeNull();
    expect(explainAddition(drawing, "azureml:old:1", INTERFACES["azureml:old:1"])).toBe(CLASSIC_AND_V2);
    expect(explainAddition(read("type: pipeline\n"), "azureml:old:1", INTERFACES["azureml:old:1"])).toBeNull();
    expect([isClassic("x", { tags: { classic: "true" } }), isClassic("x", INTERFACES["azureml:train:1"])]).toEqual([true, false]);
  });
});

it("expressions name steps, inputs and outputs", () => {
  expect(parseReference("${{ parent.jobs.a-b.outputs.c }}")).toEqual({ kind: "step", step: "a-b", output: "c" });
  expect(parseReference("${{parent.inputs.group.x}}")).toEqual({ kind: "input", input: "group.x" });
  expect(parseReference("x ${{parent.inputs.x}}")).toBeNull();
  expect(listNamedSteps({ a: ["${{parent.jobs.x.outputs.y}} ${{parent.jobs.z}}"] })).toEqual(["x", "z"]);
  expect(findStepNames("${{parent.jobs.ab.outputs.c}} ${{parent.jobs.a.outputs.c}}", "a")).toEqual([[45, 46]]);
});

it("values fit their types, in the sentences of the command line", () => {
  expect(parseTyped("n", { type: "integer", min: 1, max: 9 }, " 5 ")).toEqual({ value: 5 });
  expect(parseTyped("n", { type: "integer" }, "5.5")).toEqual({ problem: "the input 'n' must be an integer, not '5.5'" });
  expect(parseTyped("n", { type: "integer", max: 9 }, "10")).toEqual({ problem: "the input 'n' must be at most 9, not 10" });
  expect(parseTyped("n", { type: "number", min: "0.1" }, "0")).toEqual({ problem: "the input 'n' must be at least 0.1, not 0" });
  expect(parseTyped("n", { type: "number" }, "1e-3")).toEqual({ value: 0.001 });
  expect(parseTyped("n", { type: "string", enum: ["a", "b"] }, "c")).toEqual({ problem: "the input 'n' must be 'a' or 'b', not 'c'" });
  expect(parseTyped("n", { type: "boolean" }, "True")).toEqual({ value: true });
  expect(parseTyped("n", { type: "string" }, "007")).toEqual({ value: "007" });
  expect(["5", "1.5", "true", "007", "word"].map((text) => parseTyped("n", {}, text))).toEqual([{ value: 5 }, { value: 1.5 }, { value: true }, { value: "007" }, { value: "word" }]);
  expect(describeSpec({ min: 1, max: 9, default: 3, optional: true })).toBe("1 to 9, default 3, optional");
});

it("problems stand at their steps, those of a component's file as well", () => {
  const at = (file: string, line: number) => ({ file, line, column: 5, message: `line ${line}` });
  const found = groupProblems(new Source(TEXT), drawing, { ...INTERFACES, "azureml:train:1": { error: "there is none" } }, [at("p.yml", 12), at("prepare.yml", 3), at("p.yml", 2), at("p.yml", 26)], "p.yml");
  expect([...found]).toEqual([["prepare", ["line 12", "prepare.yml:3:5: line 3"]], ["show", ["line 26"]], ["train", ["there is none"]]]);
  expect(normalizePath("file:./a/../b/./c.yml")).toBe("b/c.yml");
});

it("the problem of a pipeline without steps is none before its first step", () => {
  const at = (message: string) => ({ file: "p.yml", line: 2, column: 1, message });
  const [empty, other] = [at("a pipeline job needs a step: add one under 'jobs'"), at("unknown key 'nmae' in a pipeline job")];
  expect(dropBeginning([empty, other])).toEqual([other]);
});

it("steps without connections stand in short rows, below what is connected", () => {
  const loose = placeNodes(read(`type: pipeline\njobs:\n${"abcdef".replaceAll(/./g, "  $&: {command: ls}\n")}`), {});
  const right = Math.max(...loose.map(({ x, width }) => x + width));
  expect(right).toBe(2 * 232 + 36);
  expect(new Set(loose.map(({ y }) => y)).size).toBe(3);
  const tied = `type: pipeline\njobs:\n  x: {command: ls, outputs: {o: {type: uri_folder}}}\n  y: {command: ls, inputs: {i: '\${{parent.jobs.x.outputs.o}}'}}\n`;
  const both = placeNodes(read(tied + "abcd".replaceAll(/./g, "  $&: {command: ls}\n")), {});
  const find = (name: string) => both.find(({ id }) => id === `step:${name}`)!;
  expect(find("y").y).toBeGreaterThan(find("x").y);
  expect(Math.min(...["a", "b", "c", "d"].map((name) => find(name).y))).toBeGreaterThan(find("y").y);
  for (const a of both) for (const b of both) if (a !== b) expect(a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y).toBe(true);
});

it("nodes stand where they were put; new ones beside them, and several in a line", () => {
  const auto = placeNodes(drawing, {});
  expect(auto.find(({ id }) => id === "step:train")!.y).toBeGreaterThan(auto.find(({ id }) => id === "step:prepare")!.y);
  const placed = placeNodes(drawing, { "step:train": [0, 0] });
  expect(placed.find(({ id }) => id === "step:train")).toMatchObject({ x: 0, y: 0 });
  for (const a of placed) for (const b of placed) if (a !== b) expect(a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y).toBe(true);
  const row = alignNodes(auto, new Set(["step:prepare", "step:train"]), "row");
  expect(row["step:prepare"][1]).toBe(row["step:train"][1]);
});
