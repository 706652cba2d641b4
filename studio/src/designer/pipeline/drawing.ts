import { isMap, isScalar } from "yaml";
import { listNamedSteps, parseReference, parseStepName, type Reference } from "./expressions";
import { isLiteral, type Interface, type PortSpec } from "./ports";
import { inferType, readPlainText } from "../yaml/scalars";
import type { Path, Source, Value } from "../yaml/source";

/** What an input is given: something of the pipeline, data, a literal, or an expression that the drawing only shows. */
export type Given =
  | { kind: "none" }
  | { kind: "reference"; to: Reference; asData: boolean }
  | { kind: "data"; path: string | null; type: string | undefined }
  /** `text` is a plain word as it is written: a large integer or `1.0` would lose digits as a value. */
  | { kind: "literal"; value: Value; text?: string }
  | { kind: "expression"; text: string };

export interface Port {
  name: string;
  spec: PortSpec;
  given: Given;
  /** False for one that the document has and the component does not. */
  isDeclared: boolean;
}

export interface Step {
  name: string;
  path: Path;
  type: string;
  /** The component as it is named: a file, an asset; null for a step written in place. */
  component: string | null;
  spec: Interface | undefined;
  inputs: Port[];
  outputs: Port[];
  title: string;
  description: string;
  /** Steps within it, if they stand in the same document. */
  inner: Path | null;
  /** True if it gets its own fields from elsewhere, by an alias, so that only the YAML can change it. */
  isAlias: boolean;
}

export interface PipelinePort {
  name: string;
  spec: PortSpec;
  given: Given;
}

export interface Edge {
  id: string;
  from: string;
  /** Null where one step waits for another without data between them. */
  fromPort: string | null;
  to: string;
  toPort: string | null;
}

export interface Drawing {
  kind: "job" | "component";
  /** Where the steps of this drawing stand: below the document or below a nested pipeline. */
  base: Path;
  inputs: PipelinePort[];
  outputs: PipelinePort[];
  steps: Step[];
  edges: Edge[];
  head: Record<string, Value>;
  settings: Record<string, Value>;
}

export type Interfaces = Record<string, Interface>;
type Fields = Record<string, Value>;

export const stepId = (name: string) => `step:${name}`;
export const inputId = (name: string) => `input:${name}`;
export const outputId = (name: string) => `output:${name}`;
const isFields = (value: unknown): value is Fields => value !== null && typeof value === "object" && !Array.isArray(value);
const asFields = (value: unknown): Fields => (isFields(value) ? value : {});

/** The drawing of a document, or of the nested pipeline at `base` in it. */
export function readDrawing(source: Source, interfaces: Interfaces, base: Path = []): Drawing {
  const top = asFields(source.data);
  const own = asFields(base.reduce<Value>((value, key) => (isFields(value) ? (value[key as string] ?? null) : null), top));
  const steps = Object.entries(asFields(own.jobs)).map(([name, step]) => readStep(source, [...base, "jobs", name], name, asFields(step), interfaces));
  const named = typeof own.component === "string" ? interfaces[own.component] : undefined;
  const inputs = readPipelinePorts(source, [...base, "inputs"], asFields(own.inputs), named?.inputs);
  const outputs = readPipelinePorts(source, [...base, "outputs"], asFields(own.outputs), named?.outputs);
  inferTypes(inputs, steps);
  gatherOutputs(steps, asFields(own.jobs));
  return {
    kind: base.length ? (base.at(-1) === "component" ? "component" : "job") : isComponent(top) ? "component" : "job",
    base, inputs, outputs, steps,
    edges: [...new Map(listEdges(steps, asFields(own.jobs)).map((edge) => [edge.id, edge])).values()],
    head: own,
    settings: asFields(own.settings),
  };
}

/** A step as the document has it. */
export const readStepBody = ({ head }: Drawing, { name }: Step): Fields => asFields(asFields(head.jobs)[name]);

export function isComponent(data: Value): boolean {
  const fields = asFields(data);
  const schema = typeof fields.$schema === "string" ? fields.$schema.toLowerCase() : "";
  return schema ? schema.includes("component") : "version" in fields;
}

function readStep(source: Source, path: Path, name: string, step: Fields, interfaces: Interfaces): Step {
  const inline = isFields(step.component) ? step.component : null;
  const component = typeof step.component === "string" ? step.component : typeof step.trial === "string" ? step.trial : null;
  const spec = inline ? (inline as Interface) : component !== null ? interfaces[component] : isFields(step.trial) ? (step.trial as Interface) : undefined;
  const type = String(step.type ?? spec?.type ?? "command");
  const node = source.find(path);
  const isAlias = node !== undefined && node !== null && !isMap(node) && !isScalar(node);
  return {
    name, path, type, component, spec, isAlias,
    inputs: readPorts(source, [...path, "inputs"], asFields(step.inputs), spec?.inputs, "input"),
    outputs: readPorts(source, [...path, "outputs"], asFields(step.outputs), spec?.outputs, "output", type),
    title: String(step.display_name ?? spec?.display_name ?? ""),
    description: String(step.description ?? spec?.description ?? ""),
    inner: isFields(step.jobs) ? path : inline && isFields(inline.jobs) ? [...path, "component"] : null,
  };
}

function readPorts(source: Source, path: Path, given: Fields, declared: Record<string, PortSpec> | undefined, side: "input" | "output", stepType = ""): Port[] {
  const names = [...new Set([...Object.keys(declared ?? {}), ...Object.keys(given)])];
  if (side === "output" && (stepType === "automl" && !names.length)) names.push("best_model");
  return names.map((name) => {
    const value = given[name];
    const own = readWritten(source, [...path, name], value ?? null, name in given, side);
    const spec = declared ? readSpec(declared[name]) : inferSpec(own, value ?? null, side);
    return { name, spec, given: own, isDeclared: !declared || name in declared };
  });
}

/** A declaration may be a type alone, or have a type whose letters differ. */
function readSpec(spec: PortSpec | undefined): PortSpec {
  if (typeof spec === "string") return { type: spec };
  if (!isFields(spec)) return {};
  const optional = (spec.optional as unknown) === "true" || spec.optional === true;
  return { ...(spec as PortSpec), optional };
}

function inferSpec(own: Given, value: Value, side: "input" | "output"): PortSpec {
  if (isFields(value)) return { type: typeof value.type === "string" ? value.type : side === "output" || "path" in value ? "uri_folder" : undefined };
  if (side === "output") return { type: "uri_folder" };
  if (own.kind === "literal" && own.text !== undefined) return { type: inferType(own.text) };
  if (typeof value === "number") return { type: Number.isInteger(value) ? "integer" : "number" };
  if (typeof value === "boolean") return { type: "boolean" };
  return typeof value === "string" && !value.includes("${{") ? { type: "string" } : {};
}

function readGiven(value: Value, isThere: boolean, side: "input" | "output"): Given {
  if (!isThere) return { kind: "none" };
  if (isFields(value)) {
    const to = parseReference(value.path);
    if (to) return { kind: "reference", to, asData: true };
    return { kind: "data", path: typeof value.path === "string" ? value.path : null, type: typeof value.type === "string" ? value.type : undefined };
  }
  const to = parseReference(value);
  if (to) return { kind: "reference", to, asData: false };
  if (typeof value === "string" && value.includes("${{")) return { kind: "expression", text: value };
  return value === null && side === "output" ? { kind: "none" } : { kind: "literal", value };
}

/** The same with the text of a plain word, which a value may not keep. */
function readWritten(source: Source, path: Path, value: Value, isThere: boolean, side: "input" | "output"): Given {
  const given = readGiven(value, isThere, side);
  const text = given.kind === "literal" && value !== null && typeof value !== "object" ? readPlainText(source, path) : null;
  return text === null ? given : { ...(given as { kind: "literal"; value: Value }), text };
}

function readPipelinePorts(source: Source, path: Path, given: Fields, declared: Record<string, PortSpec> | undefined): PipelinePort[] {
  const names = [...new Set([...Object.keys(given), ...Object.keys(declared ?? {})])];
  return names.map((name) => {
    const value = given[name] ?? null;
    const own = readWritten(source, [...path, name], value, name in given, "input");
    const spec = declared?.[name] ? readSpec(declared[name]) : isFields(value) ? readSpec(value as PortSpec) : inferSpec(own, value, "input");
    return { name, spec, given: own };
  });
}

/** A pipeline's input without a type has that of the steps' inputs that take it. */
function inferTypes(inputs: PipelinePort[], steps: Step[]): void {
  for (const input of inputs) {
    if (input.spec.type && input.spec.type !== "string") continue;
    for (const port of steps.flatMap((step) => step.inputs)) {
      const { given, spec } = port;
      if (given.kind === "reference" && given.to.kind === "input" && given.to.input === input.name && spec.type) input.spec = { ...input.spec, type: spec.type };
    }
  }
}

/** Give each loop over items the outputs of its body, which it gathers: data as a table, values as text. */
function gatherOutputs(steps: Step[], jobs: Fields): void {
  for (const loop of steps) {
    if (loop.type !== "parallel_for") continue;
    const body = steps.find(({ name }) => name === parseStepName(asFields(jobs[loop.name]).body));
    const own = new Map(loop.outputs.map((port) => [port.name, port]));
    const gathered = (body?.outputs ?? []).map(({ name, spec }): Port => ({ name, spec: { type: isLiteral(spec.type) ? "string" : "mltable" }, given: own.get(name)?.given ?? { kind: "none" }, isDeclared: true }));
    loop.outputs = [...gathered, ...loop.outputs.filter(({ name }) => !gathered.some((port) => port.name === name))];
  }
}

function listEdges(steps: Step[], jobs: Fields): Edge[] {
  const names = new Set(steps.map((step) => step.name));
  return steps.flatMap((step) => {
    const edges: Edge[] = [];
    for (const { name, given } of step.inputs) {
      if (given.kind !== "reference") continue;
      if (given.to.kind === "step" && names.has(given.to.step)) edges.push(makeEdge(stepId(given.to.step), given.to.output, stepId(step.name), name));
      if (given.to.kind === "input") edges.push(makeEdge(inputId(given.to.input), given.to.input, stepId(step.name), name));
    }
    for (const { name, given } of step.outputs) {
      if (given.kind === "reference" && given.to.kind === "output") edges.push(makeEdge(stepId(step.name), name, outputId(given.to.output), given.to.output));
    }
    const shown = new Set(edges.map((edge) => edge.from));
    const run = new Set(RUNNERS.has(step.type) ? listNamedSteps(jobs[step.name], true) : []);
    for (const other of listNamedSteps(jobs[step.name])) {
      if (names.has(other) && other !== step.name && !shown.has(stepId(other))) edges.push(makeControlEdge(step.name, other, run.has(other)));
    }
    return edges;
  });
}

/** Steps that run other steps: they lead to what they run. */
export const RUNNERS = new Set(["if_else", "do_while", "parallel_for"]);

/** A condition leads to its blocks, and a loop to its body; any step waits for what it reads. */
function makeControlEdge(step: string, other: string, isRun: boolean): Edge {
  const [from, to] = isRun ? [step, other] : [other, step];
  return makeEdge(stepId(from), null, stepId(to), null);
}

function makeEdge(from: string, fromPort: string | null, to: string, toPort: string | null): Edge {
  return { id: `${from}.${fromPort ?? ""}>${to}.${toPort ?? ""}`, from, fromPort, to, toPort };
}
