import { isAlias, isMap, isScalar, isSeq, visit, type Scalar } from "yaml";
import { bindInput, bindOutput, bindStep, findPortNames, findStepNames } from "./expressions";
import { isLiteral } from "./ports";
import type { Drawing, Port, Step } from "./drawing";
import { addLines, addPair, changeItems, findOpenBlock, removePair, renameKey, setValue, stripBlock } from "../yaml/edits";
import { writeFlow } from "../yaml/write";
import { reread } from "../yaml/reread";
import { applyEdit, columnOf, lineEnd, lineStart, Source, type Edit, type Path, type Value } from "../yaml/source";

/** A series of edits of one text, each seen by the next. */
export class Changes {
  readonly edits: Edit[] = [];
  private text: string;
  private parsed: Source;

  constructor(source: Source) {
    this.text = source.text;
    this.parsed = source;
  }

  /** The text after the edits so far, parsed when somebody asks: that takes long for a long text. */
  get source(): Source {
    if (this.parsed.text !== this.text) this.parsed = reread(this.parsed, this.text);
    return this.parsed;
  }

  apply(edit: Edit): this {
    if (edit.from === edit.to && !edit.insert) return this;
    this.edits.push(edit);
    this.text = applyEdit(this.text, edit);
    return this;
  }

  set(path: Path, value: Value): this {
    return this.apply(setValue(this.source, path, value));
  }

  /** Make a list have these values; of a list of plain values only what differs is written. */
  setItems(path: Path, values: Value[]): this {
    const edits = changeItems(this.source, path, values);
    if (!edits) return this.set(path, values);
    for (const edit of edits) this.apply(edit);
    return this;
  }

  /** Remove a pair if it is there. */
  remove(path: Path): this {
    if (this.source.findPair(path)) return this.apply(removePair(this.source, path));
    if (this.source.resolve(path) !== undefined) throw new Error(`'${path.at(-1)}' comes from another part of the file (by '*' or '<<'), so it cannot be removed here; change that part, in the YAML`);
    return this;
  }

  /** Remove a mapping that was left empty. */
  removeEmpty(path: Path): this {
    const map = this.source.findMap(path);
    return map && !map.items.length ? this.remove(path) : this;
  }

  /** Replace stretches of the text as it is now. */
  replaceAll(places: [number, number][], insert: string): this {
    for (const [from, to] of [...places].sort((a, b) => b[0] - a[0])) this.apply({ from, to, insert });
    return this;
  }
}

/** Have a plain word at a path as it is written elsewhere, as its value may have lost digits. */
export function setPlainText(changes: Changes, path: Path, text: string | undefined): void {
  const node = changes.source.find(path);
  if (text !== undefined && isScalar(node) && node.range) changes.apply({ from: node.range[0], to: node.range[1], insert: text });
}

/** Give an input of a step a literal, or data by its path. */
export function setInput(changes: Changes, step: Step, port: Port, value: Value): void {
  const path = [...step.path, "inputs", port.name];
  const node = changes.source.resolve(path);
  if (!isLiteral(port.spec.type) && port.spec.type !== undefined && typeof value === "string") {
    if (isMap(node)) changes.set([...path, "path"], value);
    else changes.set(path, { type: port.spec.type, path: value });
  } else changes.set(path, value);
}

export function clearInput(changes: Changes, step: Step, port: string): void {
  changes.remove([...step.path, "inputs", port]).removeEmpty([...step.path, "inputs"]);
}

/** Bind an input to an expression. An input that is written with type and path keeps its type. */
export function bindPort(changes: Changes, step: Step, port: string, expression: string): void {
  const path = [...step.path, "inputs", port];
  const node = changes.source.resolve(path);
  if (isMap(node) && (step.component === null || node.has("mode"))) changes.set([...path, "path"], expression);
  else changes.set(path, expression);
}

export function connectSteps(changes: Changes, from: Step, output: string, to: Step, input: string): void {
  bindPort(changes, to, input, bindStep(from.name, output));
}

export function connectInput(changes: Changes, input: string, to: Step, port: string): void {
  bindPort(changes, to, port, bindInput(input));
}

/** Write a step's output into an output of the pipeline. */
export function connectOutput(changes: Changes, from: Step, port: string, output: string): void {
  const path = [...from.path, "outputs", port];
  if (isMap(changes.source.resolve(path))) changes.set([...path, "path"], bindOutput(output));
  else changes.set(path, bindOutput(output));
}

export function disconnectOutput(changes: Changes, from: Step, port: string): void {
  changes.remove([...from.path, "outputs", port]).removeEmpty([...from.path, "outputs"]);
}

export interface NewStep {
  name: string;
  body: { [key: string]: Value };
}

export function addStep(changes: Changes, base: Path, { name, body }: NewStep): void {
  if (!base.length && !changes.source.findPair(["type"]) && !changes.source.findPair(["$schema"])) changes.apply(addPair(changes.source, [], "type", "pipeline"));
  changes.apply(addPair(changes.source, [...base, "jobs"], name, body));
}

/** Remove steps, and whatever other steps took from them. */
export function removeSteps(changes: Changes, drawing: Drawing, names: string[]): void {
  const gone = new Set(names);
  for (const step of drawing.steps) {
    if (gone.has(step.name)) continue;
    for (const port of step.inputs) {
      if (port.given.kind === "reference" && port.given.to.kind === "step" && gone.has(port.given.to.step)) clearInput(changes, step, port.name);
    }
  }
  for (const name of names) changes.remove([...drawing.base, "jobs", name]);
}

/** Add an input: of a job with a value, of a component with a type and, for a literal with a value, that as its default. */
export function addInput(changes: Changes, { base, kind }: Pick<Drawing, "base" | "kind">, name: string, type: string, value: Value): void {
  const declared: Value = isLiteral(type) && value !== null ? { type, default: value } : { type };
  const body = kind === "component" ? declared : isLiteral(type) ? value : { type, path: value };
  changes.apply(addPair(changes.source, [...base, "inputs"], name, body));
}

export function addOutput(changes: Changes, base: Path, name: string, type: string): void {
  changes.apply(addPair(changes.source, [...base, "outputs"], name, { type }));
}

/** Remove an input or output of the pipeline with what is bound to it. */
export function removePipelinePort(changes: Changes, drawing: Drawing, side: "inputs" | "outputs", name: string): void {
  for (const step of drawing.steps) {
    for (const port of step[side]) {
      if (port.given.kind !== "reference") continue;
      const { to } = port.given;
      if (side === "inputs" && to.kind === "input" && to.input === name) clearInput(changes, step, port.name);
      if (side === "outputs" && to.kind === "output" && to.output === name) disconnectOutput(changes, step, port.name);
    }
  }
  changes.remove([...drawing.base, side, name]).removeEmpty([...drawing.base, side]);
}

/** Rename a step, also wherever an expression names it. */
export function renameStep(changes: Changes, base: Path, name: string, to: string): void {
  const places = findInScalars(changes.source, [...base, "jobs"], (text) => findStepNames(text, name));
  changes.replaceAll(places, to);
  changes.apply(renameKey(changes.source, [...base, "jobs", name], to));
}

export function renamePipelinePort(changes: Changes, base: Path, side: "inputs" | "outputs", name: string, to: string): void {
  const places = findInScalars(changes.source, [...base, "jobs"], (text) => findPortNames(text, side, name));
  changes.replaceAll(places, to);
  changes.apply(renameKey(changes.source, [...base, side, name], to));
}

/** Places in the values below a path, none in comments. A nested pipeline's names are its own. */
function findInScalars(source: Source, path: Path, find: (text: string) => [number, number][]): [number, number][] {
  const node = source.find(path);
  const found: [number, number][] = [];
  if (!isMap(node)) return found;
  visit(node, {
    Pair(_, pair, ancestors) {
      const isInner = isScalar(pair.key) && pair.key.value === "jobs" && ancestors.length > 1;
      return isInner ? visit.SKIP : undefined;
    },
    Scalar(key, scalar: Scalar) {
      if (key === "key" || !scalar.range) return;
      const [from, to] = scalar.range;
      for (const [a, b] of find(source.text.slice(from, to))) found.push([from + a, from + b]);
    },
  });
  return found;
}

/** Move a pair to another place, with the comments in its lines. */
export function moveField(changes: Changes, from: Path, to: Path): void {
  const { source } = changes;
  const key = String(to.at(-1));
  if (from.slice(0, -1).join("\n") === to.slice(0, -1).join("\n")) {
    changes.apply(renameKey(source, from, key));
    return;
  }
  const flow = `${key}: ${copyFlow(source, from)}`;
  const lines = copyLines(source, from);
  changes.remove(from);
  changes.apply(addLines(changes.source, to.slice(0, -1), lines ?? flow, flow));
}

function readValue(source: Source, path: Path): Value {
  return path.reduce<Value>((value, key) => (value !== null && typeof value === "object" ? ((value as Record<string, Value>)[key as string] ?? null) : null), source.data);
}

/** A value as it can stand in braces: as it is written if it does already, so that no digit is lost. */
function copyFlow(source: Source, path: Path): string {
  const node = source.find(path);
  return source.isInFlow(path) && (isScalar(node) || isMap(node) || isSeq(node)) && node.range && !node.tag && !node.anchor ? source.text.slice(node.range[0], node.range[1]) : writeFlow(readValue(source, path));
}

/** The lines of a pair without indentation; null for one that stands in braces. */
function copyLines(source: Source, path: Path): string | null {
  const range = source.findRange(path);
  if (!range || source.findMap(path.slice(0, -1))?.flow) return null;
  const indent = columnOf(source.text, range[0]);
  const [from, to] = [lineStart(source.text, range[0]), lineEnd(source.text, range[1])];
  const open = to === source.text.length ? findOpenBlock(source) : null;
  const written = open === null ? source.text.slice(from, to) : source.text.slice(from, open) + stripBlock(source.text.slice(open, to));
  const lines = written.replaceAll("\r\n", "\n").replace(/\n$/, "").split("\n");
  return lines.map((line) => (line.slice(0, indent).trim() ? line : line.slice(indent))).join("\n");
}

/** The lines of some steps, comments within and without indentation, as they are copied. */
export function copySteps(source: Source, base: Path, names: string[]): string {
  const blocks = names.flatMap((name) => {
    const path = [...base, "jobs", name];
    const range = source.findRange(path);
    const map = source.findMap([...base, "jobs"]);
    if (!range || !map) return [];
    if (map.flow) return [`${source.text.slice(...range)}`];
    return copyLines(source, path) ?? [];
  });
  return blocks.join("\n") + "\n";
}

/** Add copied steps under new names where theirs are taken; what they take from each other stays among the copies. */
export function pasteSteps(changes: Changes, drawing: Drawing, copied: string): string[] {
  const source = new Source(copied.replaceAll("\r\n", "\n"));
  const map = source.doc.contents;
  if (source.isBroken || !isMap(map) || !map.items.length) throw new Error("what was copied is no step of a pipeline");
  const taken = new Set(drawing.steps.map((step) => step.name));
  const renamed = new Map<string, string>();
  for (const pair of map.items) {
    const name = String(isScalar(pair.key) ? pair.key.value : pair.key);
    if (isAlias(pair.value) || !isMap(pair.value)) throw new Error(`what was copied is no step of a pipeline: '${name}' is not a mapping`);
    const free = makeFreeName(name, taken);
    taken.add(free);
    renamed.set(name, free);
  }
  const inner = new Changes(new Source(`jobs:\n${source.text.split("\n").map((line) => (line ? `  ${line}` : line)).join("\n")}`));
  const holders = new Map([...renamed.keys()].map((name, k) => [name, `smalt-copy-${k}`]));
  for (const [name, holder] of holders) renameStep(inner, [], name, holder); // first to names that nothing has
  for (const [name, holder] of holders) renameStep(inner, [], holder, renamed.get(name)!);
  for (const name of renamed.values()) {
    const lines = copySteps(inner.source, [], [name]).trimEnd();
    changes.apply(addLines(changes.source, [...drawing.base, "jobs"], lines, JSON.stringify({ [name]: (inner.source.data as any).jobs[name] }).slice(1, -1)));
  }
  return [...renamed.values()];
}

/** The name itself, or with the first number that is free. */
export function makeFreeName(name: string, taken: ReadonlySet<string>): string {
  if (!taken.has(name)) return name;
  const stem = name.replace(/_\d+$/, "");
  for (let k = 2; ; k++) if (!taken.has(`${stem}_${k}`)) return `${stem}_${k}`;
}

/** A name that a step or port may have, made of any text. */
export function makeStepName(text: string): string {
  const name = text.replace(/^azureml:/, "").replace(/\W+/g, "_").replace(/^_+|_+$/g, "").toLowerCase();
  return /^[a-z_]/.test(name) ? name : name ? `step_${name}` : "step";
}

/** Set or, with undefined, remove a field; the fields above it are made and removed with it. */
export function setField(changes: Changes, path: Path, value: Value | undefined): void {
  if (value !== undefined) changes.set(path, value);
  else {
    changes.remove(path);
    if (path.length > 1) changes.removeEmpty(path.slice(0, -1));
  }
}
