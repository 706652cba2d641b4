import { isAlias, isNode, isPair, isScalar, visit } from "yaml";
import { addStep, makeFreeName, moveField, setPlainText, type Changes } from "./changes";
import { readStepBody, stepId, type Drawing, type Given, type Port, type Step } from "./drawing";
import { bindInput, bindStep, nameStep, parseStepName } from "./expressions";
import { isLiteral, type PortSpec } from "./ports";
import { MAX_ROUNDS, SWEEP_KEYS } from "./starters";
import { isFields } from "./step_fields";
import { startValue } from "./values";
import { refuseExplicit } from "../yaml/edits";
import { readNumber } from "../yaml/scalars";
import type { Source, Value } from "../yaml/source";

/** What becomes of a step: a sweep, or what a loop or a condition runs. */
export type Conversion = "sweep" | "parallel_for" | "do_while" | "if_else";

export const CONVERSIONS: Record<Conversion, string> = {
  sweep: "a sweep over its inputs", parallel_for: "what a loop runs for each item", do_while: "what a loop repeats", if_else: "what a condition runs",
};

/** The types of steps that each can be made of. */
const CONVERTIBLE_TYPES: Record<Conversion, string[]> = {
  sweep: ["command"],
  parallel_for: ["command", "parallel", "sweep", "pipeline"],
  do_while: ["command", "parallel", "sweep", "pipeline"],
  if_else: ["command", "parallel", "sweep", "pipeline", "spark", "automl", "data_transfer"],
};
/** The keys of a command that are its trial's. What else a step has is the sweep's, too. */
const TRIAL_KEYS = ["command", "code", "environment", "environment_variables", "distribution", "is_deterministic"];

/** The keys of a command that neither a sweep nor its trial has. */
const COMMAND_ONLY_KEYS = ["services"];

/** Why a step cannot become this; null if it can. */
export function explainConversion(drawing: Drawing, step: Step, conversion: Conversion): string | null {
  if (step.isAlias) return `'${step.name}' is an alias of another part of the file; change it there, in the YAML`;
  const isPipelineTrial = conversion === "sweep" && step.type === "pipeline" && step.component !== null;
  if (!CONVERTIBLE_TYPES[conversion].includes(step.type) && !isPipelineTrial) return `'${step.name}' is of type '${step.type}', which cannot be ${CONVERSIONS[conversion]}`;
  if (conversion === "sweep") {
    const raw = readStepBody(drawing, step);
    const alone = COMMAND_ONLY_KEYS.find((key) => key in raw);
    if (alone) return `'${step.name}' has '${alone}', which a sweep cannot have; remove that first`;
    const isOwn = !("component" in raw);
    return isOwn || listParameters(step).length ? null : `'${step.name}' has no parameter that trials could vary: an input of type number, integer, string or boolean`;
  }
  const runner = findRunner(drawing, step);
  if (runner) return `'${runner}' runs '${step.name}' already`;
  return conversion === "parallel_for" ? explainItems(drawing, step) : null;
}

/** Why a loop cannot run a step for each of some items; null if it can. */
function explainItems(drawing: Drawing, step: Step): string | null {
  if (!listItemInputs(drawing, step).length) return `'${step.name}' has no input that items could give; add an input to it first`;
  const reader = drawing.steps.find((one) => one.inputs.some(({ given }) => given.kind === "reference" && given.to.kind === "step" && given.to.step === step.name));
  if (reader) return `'${reader.name}' reads an output of '${step.name}', which would be one for each item; disconnect that first, and connect it to the loop's output then`;
  const bound = step.outputs.find(({ given }) => given.kind === "reference");
  return bound ? `the output '${bound.name}' of '${step.name}' is the pipeline's, and each item would write it; disconnect that first, and connect the loop's output then` : null;
}

/** Refuse to rewrite a step of which other lines of the file are a part: their meaning would change with it. */
function refuseShared(source: Source, step: Step): void {
  const node = source.find(step.path);
  if (!isNode(node)) return;
  const anchors = new Set<string>();
  let isShared = false;
  visit(node, (_, one) => {
    if (isPair(one) && isScalar(one.key) && one.key.value === "<<") isShared = true;
    if (isAlias(one)) isShared = true;
    else if (isNode(one) && one.anchor) anchors.add(one.anchor);
    if (isPair(one)) refuseExplicit(source, one);
  });
  if (anchors.size) visit(source.doc, { Alias: (_, { source: anchor }) => void (isShared ||= anchors.has(anchor)) });
  if (isShared) throw new Error(`'${step.name}' shares lines with other parts of the file (by '&', '*' or '<<'), which would change with it; write it out in the YAML first`);
}

/** Make a step this, and return the name of the step that is to be looked at next. */
export function convertStep(changes: Changes, drawing: Drawing, step: Step, conversion: Conversion): string {
  if (conversion === "sweep") {
    convertIntoSweep(changes, drawing, step);
    return step.name;
  }
  const name = makeFreeName(NAMES[conversion](step.name), new Set(drawing.steps.map((one) => one.name)));
  addStep(changes, drawing.base, { name, body: { type: conversion, ...makeRunner(drawing, step, conversion) } });
  const port = conversion === "parallel_for" ? findItemInput(drawing, step) : undefined;
  if (port?.given.kind === "literal") for (const item of ITEMS) setPlainText(changes, [...drawing.base, "jobs", name, "items", item, port.name], port.given.text);
  return name;
}

const NAMES: Record<Exclude<Conversion, "sweep">, (step: string) => string> = {
  parallel_for: (step) => `each_${step}`, do_while: (step) => `repeat_${step}`, if_else: (step) => `if_${step}`,
};

function makeRunner(drawing: Drawing, step: Step, conversion: Exclude<Conversion, "sweep">): Record<string, Value> {
  if (conversion === "if_else") return { condition: findCondition(drawing, step) ?? true, true_block: nameStep(step.name) };
  if (conversion === "parallel_for") return { body: nameStep(step.name), items: makeItems(drawing, step) };
  const again = step.outputs.find(({ spec }) => isOfType(spec, "boolean"));
  return { body: nameStep(step.name), ...(again ? { condition: bindStep(step.name, again.name) } : {}), mapping: {}, limits: { max_iteration_count: MAX_ROUNDS } };
}

/** The name of the loop or the condition that runs a step. */
function findRunner(drawing: Drawing, step: Step): string | undefined {
  return drawing.steps.find((one) => {
    const { body, true_block, false_block } = readStepBody(drawing, one);
    return [body, true_block, false_block].flat().some((text) => parseStepName(text) === step.name);
  })?.name;
}

/** A boolean that a condition can ask: an output of a step that does not wait for this one, or an input of the pipeline. */
function findCondition(drawing: Drawing, step: Step): string | null {
  const later = listDependents(drawing, step);
  for (const one of drawing.steps) {
    const output = later.has(stepId(one.name)) ? undefined : one.outputs.find(({ spec }) => isOfType(spec, "boolean"));
    if (output) return bindStep(one.name, output.name);
  }
  const input = drawing.inputs.find(({ spec }) => isOfType(spec, "boolean"));
  return input ? bindInput(input.name) : null;
}

/** The nodes of a step and of all that wait for it. */
function listDependents(drawing: Drawing, step: Step): Set<string> {
  const found = new Set([stepId(step.name)]);
  for (const node of found) for (const { from, to } of drawing.edges) if (from === node) found.add(to);
  return found;
}

/** The inputs that items can give: those with a value of their own or none, but not what a sweep varies. */
function listItemInputs(drawing: Drawing, step: Step): Port[] {
  const { search_space: space } = readStepBody(drawing, step);
  return step.inputs.filter(({ name, given }) => given.kind !== "reference" && given.kind !== "expression" && !(isFields(space) && name in space));
}

/** The input that items give: one that has nothing yet, if there is such, else a parameter. */
function findItemInput(drawing: Drawing, step: Step): Port | undefined {
  const rank = ({ given, spec }: Port) => (given.kind === "none" && !spec.optional && spec.default === undefined ? 0 : isLiteral(spec.type) ? (spec.default === undefined ? 1 : 2) : 3);
  return [...listItemInputs(drawing, step)].sort((a, b) => rank(a) - rank(b))[0];
}

const ITEMS = ["first", "second"];

/** Two items that give one input, as it is now. */
function makeItems(drawing: Drawing, step: Step): Value {
  const { name, spec, given } = findItemInput(drawing, step)!;
  const value: Value = given.kind === "literal" ? given.value : isLiteral(spec.type) ? ((spec.default as Value | undefined) ?? startLiteral(spec)) : { type: spec.type ?? "uri_folder", path: given.kind === "data" ? (given.path ?? "") : "" };
  return Object.fromEntries(ITEMS.map((item) => [item, { [name]: value }]));
}

const startLiteral = ({ type, enum: choices }: PortSpec): Value => (choices?.length ? (choices[0] as Value) : startValue(type!.toLowerCase()));

const isOfType = ({ type }: PortSpec, wanted: string): boolean => type?.toLowerCase() === wanted;

/** The inputs of a step that a search space can give. */
export const listParameters = (step: Step): Port[] => step.inputs.filter(({ spec, given }) => isLiteral(spec.type) && given.kind !== "reference" && given.kind !== "expression" && !(given.kind === "literal" && isTooLarge(given.value)));

/** True for an integer that has lost digits, which nothing can be reckoned from. */
const isTooLarge = (value: Value): boolean => typeof value === "number" && Number.isInteger(value) && !Number.isSafeInteger(value);

/** Give an input of a sweep by its search space in place of a value. */
export function sweepInput(changes: Changes, step: Step, port: Port): void {
  changes.remove([...step.path, "inputs", port.name]).removeEmpty([...step.path, "inputs"]);
  changes.set([...step.path, "search_space", port.name], makeDistribution(port));
}

function convertIntoSweep(changes: Changes, drawing: Drawing, step: Step): void {
  refuseShared(changes.source, step);
  const raw = readStepBody(drawing, step);
  const rank = ({ spec }: Port) => (isOfType(spec, "number") || isOfType(spec, "integer") ? 0 : 2) + (spec.default === undefined ? 0 : 1);
  const [first] = [...listParameters(step)].sort((a, b) => rank(a) - rank(b));
  const varied: Port = first ?? { name: "rate", spec: { type: "number" }, given: { kind: "none" }, isDeclared: true };
  changes.set([...step.path, "type"], "sweep");
  if ("component" in raw) moveField(changes, [...step.path, "component"], [...step.path, "trial"]);
  else declareTrial(changes, drawing, step, varied);
  changes.remove([...step.path, "limits"]);
  sweepInput(changes, step, varied);
  for (const [key, value] of Object.entries(SWEEP_KEYS)) changes.set([...step.path, key], value);
  if (isFields(raw.limits) && raw.limits.timeout !== undefined) changes.set([...step.path, "limits", "trial_timeout"], raw.limits.timeout);
}

/** Make a command that is written in place the trial, a component of its own: it declares what the step gives it. */
function declareTrial(changes: Changes, drawing: Drawing, step: Step, varied: Port): void {
  const raw = readStepBody(drawing, step);
  const declare = (ports: Port[]): Value => Object.fromEntries(ports.map((port) => [port.name, { type: port.spec.type ?? findType(drawing, port.given) }]));
  const inputs = step.inputs.some(({ name }) => name === varied.name) ? step.inputs : [...step.inputs, varied];
  changes.set([...step.path, "trial"], { type: "command", inputs: declare(inputs), ...(step.outputs.length ? { outputs: declare(step.outputs) } : {}) });
  for (const key of TRIAL_KEYS) if (key in raw) moveField(changes, [...step.path, key], [...step.path, "trial", key]);
}

function findType(drawing: Drawing, given: Given): string {
  if (given.kind !== "reference") return "string";
  const { to } = given;
  const found = to.kind === "input" ? drawing.inputs.find(({ name }) => name === to.input) : to.kind === "step" ? drawing.steps.find(({ name }) => name === to.step)?.outputs.find(({ name }) => name === to.output) : undefined;
  return found?.spec.type ?? "uri_folder";
}

/** Values around the one that an input has, as far as its declaration allows them. */
function makeDistribution({ spec, given }: Port): Value {
  const value = given.kind === "literal" ? given.value : (spec.default as Value | undefined);
  if (isOfType(spec, "boolean")) return { type: "choice", values: [true, false] };
  if (spec.enum?.length) return { type: "choice", values: spec.enum as Value[] };
  if (isOfType(spec, "string")) return { type: "choice", values: [value ?? ""] };
  const [least, most] = [Number(spec.min ?? -Infinity), Number(spec.max ?? Infinity)];
  const clamp = (one: number) => Math.min(most, Math.max(least, one));
  const now = given.kind === "literal" && given.text !== undefined ? readNumber(given.text) : Number(value ?? 0);
  if (isOfType(spec, "integer")) {
    const start = clamp(0);
    const around = now ? [Math.trunc(now / 2), now, now * 2] : start === most ? [start - 2, start - 1, start] : [start, start + 1, start + 2];
    return { type: "choice", values: [...new Set(around.map(clamp))].sort((a, b) => a - b) };
  }
  const [from, to] = (now ? [now / 2, now * 2] : least > -Infinity && most < Infinity ? [least, most] : [0, 1]).sort((a, b) => a - b).map((one) => clamp(round(one)));
  if (from < to) return { type: "uniform", min_value: from, max_value: to };
  if (least === most) return { type: "choice", values: [least] };
  return from === most ? { type: "uniform", min_value: Math.max(least, most - 1), max_value: most } : { type: "uniform", min_value: from, max_value: Math.min(most, from + 1) };
}

const round = (value: number): number => Number(value.toPrecision(6));
