import type { Drawing, Step } from "./drawing";
import { explainFile, explainMismatch, isClassic, isLiteral, isV1Data, noteDifference } from "./ports";

/** One end of a connection: a node and a port of it. */
export interface End {
  node: string;
  port: string;
}

export const CLASSIC_AND_V2 =
  "a pipeline cannot have both classic prebuilt components and v2 components; use the components of the registry 'smalt', or build a pipeline of classic ones alone";
export const CLASSIC_NEEDS_V1 = "a classic prebuilt component takes v1 datasets (tabular, file) only, not v2 data";

/** Why a connection cannot be made, in one sentence; null if it can. */
export function explainConnection(drawing: Drawing, from: End, to: End): string | null {
  const target = findStep(drawing, to.node);
  const source = findStep(drawing, from.node);
  if (target && source && target === source) return `'${target.name}' cannot take its own output`;
  if (target?.isAlias) return `'${target.name}' is an alias of another part of the file; change it there, in the YAML`;
  if (to.node.startsWith("output:")) return source ? explainOutput(drawing, source, from.port, to.port) : "an output of the pipeline is written by a step";
  const port = target?.inputs.find((one) => one.name === to.port);
  if (!target || !port) return `the step has no input '${to.port}'`;
  const given = describeSource(drawing, from);
  if (!given) return "a connection begins at an output of a step or at an input of the pipeline";
  if (source) {
    if (isClassicStep(source) !== isClassicStep(target)) return CLASSIC_AND_V2;
    if (reaches(drawing, target.name, source.name)) return `'${source.name}' waits for '${target.name}' already, so the steps would wait for each other in a circle`;
  } else if (isClassicStep(target) && !isLiteral(port.spec.type) && !isV1Data(given.type)) return CLASSIC_NEEDS_V1;
  const wrong = takesFiles(target) || [port.spec.mode, given.mode].includes("direct") ? null : explainFile(to.port, port.spec.type, given.type, given.words, source ? (source.spec || source.component ? "component" : "step") : "pipeline", source?.name);
  return wrong ?? explainMismatch(to.port, port.spec.type, given.type, given.words);
}

/** Why an input of a step cannot be given data of a type; null if it can. */
export function explainData(drawing: Drawing, to: End, type: string, words: string): string | null {
  const target = findStep(drawing, to.node);
  const port = target?.inputs.find((one) => one.name === to.port);
  if (!target || !port) return `the step has no input '${to.port}'`;
  if (target.isAlias) return `'${target.name}' is an alias of another part of the file; change it there, in the YAML`;
  if (isClassicStep(target) && !isLiteral(port.spec.type) && !isV1Data(type)) return CLASSIC_NEEDS_V1;
  const isOwnType = target.spec === undefined; // a step written in place gets the data's own type with it
  const wrong = isOwnType || takesFiles(target) || port.spec.mode === "direct" ? null : explainFile(to.port, port.spec.type, type, words, "given");
  return wrong ?? explainMismatch(to.port, port.spec.type, type, words);
}

/** What is worth saying of a connection that is possible. */
export function noteConnection(drawing: Drawing, from: End, to: End): string | null {
  const port = findStep(drawing, to.node)?.inputs.find((one) => one.name === to.port);
  return noteDifference(port?.spec.type, describeSource(drawing, from)?.type);
}

/** Why a component cannot be added to a pipeline; null if it can. */
export function explainAddition(drawing: Drawing, name: string, spec: Parameters<typeof isClassic>[1]): string | null {
  if (!drawing.steps.length) return null;
  const isOld = isClassic(name, spec);
  return drawing.steps.some((step) => isClassicStep(step) !== isOld) ? CLASSIC_AND_V2 : null;
}

/** True for a step that may read a file as a table: a prebuilt one, or a pipeline, whose steps the server knows. */
const takesFiles = (step: Step) => step.type === "pipeline" || (step.component ?? "").toLowerCase().startsWith("azureml://registries/smalt/");

const isClassicStep = (step: Step) => isClassic(step.component, step.spec);

export function findStep(drawing: Drawing, node: string): Step | undefined {
  return node.startsWith("step:") ? indexDrawing(drawing).steps.get(node.slice("step:".length)) : undefined;
}

interface DrawingIndex {
  steps: Map<string, Step>;
  /** The nodes that edges lead to, by node. */
  next: Map<string, string[]>;
  /** The nodes that wait for a node, through any number of steps, as far as somebody asked. */
  followers: Map<string, Set<string>>;
}

const indexes = new WeakMap<Drawing, DrawingIndex>();

function indexDrawing(drawing: Drawing): DrawingIndex {
  let index = indexes.get(drawing);
  if (!index) {
    index = { steps: new Map(drawing.steps.map((step) => [step.name, step])), next: new Map(), followers: new Map() };
    for (const { from, to } of drawing.edges) {
      const known = index.next.get(from);
      if (known) known.push(to);
      else index.next.set(from, [to]);
    }
    indexes.set(drawing, index);
  }
  return index;
}

function describeSource(drawing: Drawing, { node, port }: End): { type: string | undefined; mode?: string | undefined; words: string } | null {
  const step = findStep(drawing, node);
  if (step) {
    const output = step.outputs.find((one) => one.name === port);
    return output ? { type: output.spec.type ?? "uri_folder", words: `the output '${port}' of '${step.name}'` } : null;
  }
  const input = node.startsWith("input:") ? drawing.inputs.find((one) => one.name === port) : undefined;
  return input ? { type: input.spec.type, mode: input.spec.mode, words: `the pipeline's input '${port}'` } : null;
}

function explainOutput(drawing: Drawing, source: Step, port: string, output: string): string | null {
  const other = drawing.steps.find((step) => step.outputs.some((one) => one.given.kind === "reference" && one.given.to.kind === "output" && one.given.to.output === output && !(step === source && one.name === port)));
  return other ? `'${other.name}' writes the pipeline's output '${output}' already; disconnect that first` : null;
}

/** True if `to` waits for `from`, through any number of steps. */
function reaches(drawing: Drawing, from: string, to: string): boolean {
  const { next, followers } = indexDrawing(drawing);
  let seen = followers.get(from);
  if (!seen) {
    seen = new Set();
    const open = [`step:${from}`];
    while (open.length) {
      const node = open.pop()!;
      if (seen.has(node)) continue;
      seen.add(node);
      open.push(...(next.get(node) ?? []));
    }
    followers.set(from, seen);
  }
  return seen.has(`step:${to}`);
}
