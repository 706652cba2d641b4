import { describe, expect, it } from "vitest";
import { Source, type Value } from "../yaml/source";
import { addStep, Changes } from "./changes";
import { readDrawing, type Drawing, type Interfaces, type Step } from "./drawing";
import { makeStarter, type Starter } from "./starters";
import { listSuggestions } from "./suggestions";
import { explainConversion, convertStep, type Conversion } from "./conversion";

const INTERFACES: Interfaces = {
  "./train.yml": { name: "train", type: "command", inputs: { data: { type: "uri_folder" }, depth: { type: "integer", min: 3, max: 9, default: 4 }, rate: { type: "number" } }, outputs: { model: { type: "mlflow_model" }, again: { type: "boolean" } } },
  "./show.yml": { name: "show", type: "command", inputs: { model: { type: "mlflow_model" } }, outputs: {} },
};
const TEXT = `type: pipeline
inputs:
  raw: {type: uri_folder, path: ./data}
jobs:
  train:
    type: command
    component: ./train.yml   # the trainer
    inputs:
      data: \${{parent.inputs.raw}}   # its data
      rate: 0.1   # to be found
  own:
    # by hand
    command: |
      python go.py --rate \${{inputs.rate}}
      echo done
    code: ./src   # the code
    environment: azureml:host@latest
    limits: {timeout: 60}
    inputs:
      raw: \${{parent.jobs.train.outputs.model}}
      rate: 0.5
      word: x
    outputs:
      out: {type: uri_file, mode: upload}
  show:
    component: ./show.yml
`;
const read = (text: string) => readDrawing(new Source(text), INTERFACES);
const find = (drawing: Drawing, name: string): Step => drawing.steps.find((step) => step.name === name)!;
/** The pipeline in which nobody reads the outputs of 'train'. */
const ALONE = TEXT.replace("${{parent.jobs.train.outputs.model}}", "${{parent.inputs.raw}}");
function convert(name: string, kind: Conversion, text = TEXT): { text: string; data: any; next: string } {
  const changes = new Changes(new Source(text));
  const drawing = read(text);
  expect(explainConversion(drawing, find(drawing, name), kind)).toBe(null);
  const next = convertStep(changes, drawing, find(drawing, name), kind);
  return { text: changes.source.text, data: changes.source.data, next };
}

describe("a step that is turned into a sweep", () => {
  it("names its component as the trial, and keeps its other inputs and all comments", () => {
    const { text } = convert("train", "sweep");
    expect(text).toContain(`    type: sweep
    trial: ./train.yml   # the trainer
    inputs:
      data: \${{parent.inputs.raw}}   # its data
    search_space:
      rate:
        type: uniform
        min_value: 0.05
        max_value: 0.2
    sampling_algorithm: random
`);
    expect(text.replace(/  train:[^]*?  own:/, "")).toBe(TEXT.replace(/  train:[^]*?  own:/, "")); // nothing else has changed
  });

  it("declares what a command in place takes, and has its lines as they were", () => {
    const { text, data } = convert("own", "sweep");
    expect(text).toContain(`        python go.py --rate \${{inputs.rate}}
        echo done
      code: ./src   # the code
`);
    expect(data.jobs.own.trial).toEqual({
      type: "command", inputs: { raw: { type: "mlflow_model" }, rate: { type: "number" }, word: { type: "string" } }, outputs: { out: { type: "uri_file" } },
      command: "python go.py --rate ${{inputs.rate}}\necho done\n", code: "./src", environment: "azureml:host@latest",
    });
    expect(data.jobs.own.inputs).toEqual({ raw: "${{parent.jobs.train.outputs.model}}", word: "x" });
    expect(data.jobs.own.outputs).toEqual({ out: { type: "uri_file", mode: "upload" } });
    expect(data.jobs.own.search_space).toEqual({ rate: { type: "uniform", min_value: 0.25, max_value: 1 } });
    expect(data.jobs.own.limits).toEqual({ max_total_trials: 4, max_concurrent_trials: 2, trial_timeout: 60 });
  });

  it("stays the same in braces", () => {
    const { data } = convert("a", "sweep", "type: pipeline\njobs:\n  a: {command: echo, environment: azureml:host@latest, inputs: {n: 4}}\n");
    expect(data.jobs.a.trial).toEqual({ type: "command", inputs: { n: { type: "integer" } }, command: "echo", environment: "azureml:host@latest" });
    expect(data.jobs.a.search_space).toEqual({ n: { type: "choice", values: [2, 4, 8] } });
  });

  it("is refused where trials would have nothing to vary", () => {
    const drawing = read(TEXT);
    expect(explainConversion(drawing, find(drawing, "show"), "sweep")).toMatch(/^'show' has no parameter that trials could vary/);
  });
});

describe("a step that a loop or a condition runs", () => {
  it("stays as it is, and is named by a new step", () => {
    const { text, data, next } = convert("train", "parallel_for", ALONE);
    expect(next).toBe("each_train");
    expect(text.startsWith(ALONE)).toBe(true);
    expect(data.jobs.each_train).toEqual({ type: "parallel_for", body: "${{parent.jobs.train}}", items: { first: { rate: 0.1 }, second: { rate: 0.1 } } });
    expect(convert("train", "do_while").data.jobs.repeat_train).toEqual({ type: "do_while", body: "${{parent.jobs.train}}", condition: "${{parent.jobs.train.outputs.again}}", mapping: {}, limits: { max_iteration_count: 3 } });
    expect(convert("show", "if_else").data.jobs.if_show).toEqual({ type: "if_else", condition: "${{parent.jobs.train.outputs.again}}", true_block: "${{parent.jobs.show}}" });
    expect(convert("train", "if_else").data.jobs.if_train.condition).toBe(true); // nothing is known before it
  });

  it("is run by one of them only", () => {
    const { text } = convert("train", "do_while");
    const drawing = read(text);
    expect(explainConversion(drawing, find(drawing, "train"), "parallel_for")).toBe("'repeat_train' runs 'train' already");
    expect(explainConversion(drawing, find(drawing, "repeat_train"), "sweep")).toMatch(/^'repeat_train' is of type 'do_while'/);
    expect(explainConversion(drawing, find(drawing, "show"), "parallel_for")).toBe(null); // its model may come of the items
  });
});

describe("steps from nothing", () => {
  const start = (kind: Starter, text = "type: pipeline\n") => {
    const changes = new Changes(new Source(text));
    const steps = makeStarter(kind, new Set(read(text).steps.map(({ name }) => name)));
    for (const step of steps) addStep(changes, [], step);
    return read(changes.source.text);
  };

  it("lead to what they run, and wait for what they read", () => {
    expect(start("parallel_for").edges.map(({ id }) => id)).toEqual(["step:for_each.>step:each_item."]);
    expect(start("do_while").edges.map(({ id }) => id)).toEqual(["step:repeat.>step:round."]);
    expect(start("if_else").edges.map(({ id }) => id)).toEqual(["step:check.>step:condition.", "step:condition.>step:if_true.", "step:condition.>step:if_false."]);
  });

  it("have names of their own, also the second time", () => {
    const text = "type: pipeline\njobs:\n  each_item: {command: a}\n  sweep: {command: b}\n";
    expect(start("parallel_for", text).steps.map(({ name }) => name)).toEqual(["each_item", "sweep", "for_each", "each_item_2"]);
    expect(start("parallel_for", text).edges.map(({ id }) => id)).toEqual(["step:for_each.>step:each_item_2."]);
    expect(start("sweep", text).steps.at(-1)!.name).toBe("sweep_2");
  });

  it("offer what their keys can name", () => {
    const drawing = start("if_else");
    expect(listSuggestions(drawing, find(drawing, "condition"))).toMatchObject({ condition: ["${{parent.jobs.check.outputs.good}}"], true_block: ["${{parent.jobs.check}}", "${{parent.jobs.if_true}}", "${{parent.jobs.if_false}}"] });
  });
});

it("a loop over items has the outputs of its body, gathered", () => {
  const { data, text } = convert("train", "parallel_for", ALONE);
  expect((data as { jobs: Record<string, Value> }).jobs.each_train).toBeTruthy();
  expect(find(read(text), "each_train").outputs.map(({ name, spec }) => [name, spec.type])).toEqual([["model", "mltable"], ["again", "string"]]);
});

const why = (text: string, name: string, kind: Conversion) => explainConversion(read(text), find(read(text), name), kind);
/** A step in place whose inputs are these. */
const own = (inputs: string, more = "") => `type: pipeline\njobs:\n  a:\n    command: echo\n    environment: azureml:host@latest\n${more}    inputs: ${inputs}\n`;

describe("values and types of a step that is turned", () => {
  it("stay as they are written: no digit is lost, and no word becomes another", () => {
    for (const word of ["123456789012345679", "1.0", "1_000", "0x10", "012", "yes", "1e-3"]) {
      expect(convert("a", "parallel_for", own(`{n: ${word}}`)).text).toContain(`first:\n        n: ${word}\n      second:\n        n: ${word}\n`);
    }
    expect(convert("a", "parallel_for", own(`{n: "1.0"}`)).text).toContain(`n: "1.0"\n      second`);
    const braces = "type: pipeline\njobs:\n  a: {command: echo, environment: azureml:host@latest, environment_variables: {ID: 123456789012345679, V: 1.0}, inputs: {n: 4}}\n";
    expect(convert("a", "sweep", braces).text).toContain("environment_variables: {ID: 123456789012345679, V: 1.0}");
  });

  it("are the same where the text ends in the middle of a block", () => { // which has no last line break for Python's reader
    const text = "type: pipeline\njobs:\n  a:\n    environment: azureml:host@latest\n    inputs: {n: 1}\n    command: |\n      echo\n      more";
    expect(convert("a", "if_else", text).data.jobs.a.command).toBe("echo\nmore");
    expect(convert("a", "sweep", text).data.jobs.a.trial.command).toBe("echo\nmore");
    for (const head of ["|-", "|+", "|2-", "|2+"]) expect(convert("a", "sweep", text.replace("|", head).replaceAll(/^ {6}(echo|more)/gm, "      $1")).text).toMatch(/command: \|(-|2-|-2)\n/);
    const between = "type: pipeline\njobs:\n  a:\n    command: |\n      echo\n    inputs: {n: 1}\n    environment: azureml:host@latest";
    expect(convert("a", "sweep", between).text).toContain("command: |\n        echo\n");
  });

  it("are those that smalt reads", () => {
    const types = (inputs: string) => Object.fromEntries(find(read(own(inputs)), "a").inputs.map(({ name, spec }) => [name, spec.type]));
    expect(types('{a: 0.0, b: 1.0, c: 1_000, d: 012, e: 0x10, f: yes, g: 1e-3, h: word, i: "1", j: -3, k: 1.5e-3}')).toEqual({
      a: "number", b: "number", c: "integer", d: "integer", e: "integer", f: "boolean", g: "number", h: "string", i: "string", j: "integer", k: "number",
    });
    expect(convert("a", "sweep", own("{r: 0.0}")).data.jobs.a).toMatchObject({ trial: { inputs: { r: { type: "number" } } }, search_space: { r: { type: "uniform", min_value: 0, max_value: 1 } } });
    expect(convert("a", "sweep", own("{n: 012}")).data.jobs.a.search_space).toEqual({ n: { type: "choice", values: [5, 10, 20] } });
  });

  it("are not varied where digits would be lost", () => {
    const { text, data } = convert("a", "sweep", own("{id: 123456789012345679, n: 2}"));
    expect(text).toContain("{id: 123456789012345679}");
    expect(data.jobs.a.search_space).toEqual({ n: { type: "choice", values: [1, 2, 4] } });
  });
});

describe("a search space", () => {
  const space = (spec: object) => {
    const text = "type: pipeline\njobs:\n  a:\n    component: ./a.yml\n";
    const drawing = readDrawing(new Source(text), { "./a.yml": { type: "command", inputs: { n: spec } } } as Interfaces);
    const changes = new Changes(new Source(text));
    convertStep(changes, drawing, find(drawing, "a"), "sweep");
    return (changes.source.data as any).jobs.a.search_space.n;
  };

  it("is within what the input allows", () => {
    expect(space({ type: "number", min: 10 })).toEqual({ type: "uniform", min_value: 10, max_value: 11 });
    expect(space({ type: "number", min: 10, max: 20 })).toEqual({ type: "uniform", min_value: 10, max_value: 20 });
    expect(space({ type: "number", max: -5 })).toEqual({ type: "uniform", min_value: -6, max_value: -5 });
    expect(space({ type: "number", min: 3, max: 3 })).toEqual({ type: "choice", values: [3] });
    expect(space({ type: "number", min: 0.12345678, default: 0.1234568 }).min_value).toBeGreaterThanOrEqual(0.12345678);
    expect(space({ type: "integer", min: 10 })).toEqual({ type: "choice", values: [10, 11, 12] });
    expect(space({ type: "integer", min: 10, max: 11 })).toEqual({ type: "choice", values: [10, 11] });
    expect(space({ type: "integer", max: -5 })).toEqual({ type: "choice", values: [-7, -6, -5] });
  });
});

describe("a step is refused", () => {
  const SHARED = "type: pipeline\njobs:\n  a: &base\n    command: echo\n    environment: azureml:host@latest\n    inputs: &ins {n: 4}\n  b:\n    <<: *base\n  c:\n    command: echo\n    environment: azureml:host@latest\n    inputs: *ins\n  d: {command: echo, inputs: &mine {n: 1}}\n";

  it("as a sweep if it shares lines with another", () => {
    for (const name of ["a", "b", "c"]) expect(() => convert(name, "sweep", SHARED)).toThrow(`'${name}' shares lines with other parts of the file`);
    expect(convert("d", "sweep", SHARED).data.jobs.d.type).toBe("sweep"); // nothing names its anchor
  });

  it("as a sweep if a key of it is written with a question mark, or is one that sweeps have not", () => {
    expect(() => convert("a", "sweep", own("{n: 1}").replace("command: echo", "? command\n    : echo"))).toThrow("the key 'command' is written with a question mark before it");
    expect(why(own("{n: 1}", "    services: {my: {type: jupyter_lab}}\n"), "a", "sweep")).toBe("'a' has 'services', which a sweep cannot have; remove that first");
  });

  it("for items where none could be given, or where others read its outputs", () => {
    expect(why(own("{}"), "a", "parallel_for")).toBe("'a' has no input that items could give; add an input to it first");
    expect(why(TEXT, "train", "parallel_for")).toMatch(/^'own' reads an output of 'train'/);
    expect(why(own("{n: 1}", "    outputs: {o: '${{parent.outputs.o}}'}\n"), "a", "parallel_for")).toMatch(/^the output 'o' of 'a' is the pipeline's/);
  });

  it("never as what a loop repeats because it is a sweep", () => {
    const { text } = convert("own", "sweep");
    expect(why(text, "own", "do_while")).toBe(null);
    expect(why(text, "own", "parallel_for")).toBe(null);
    expect(Object.keys(convert("own", "parallel_for", text).data.jobs.each_own.items.first)).toEqual(["word"]); // not what the sweep varies
  });
});
