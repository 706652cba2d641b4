import { history, invertedEffects, isolateHistory, redo, redoDepth, undo, undoDepth } from "@codemirror/commands";
import { ChangeSet, EditorState, StateEffect, StateField, type Extension, type Transaction, type TransactionSpec } from "@codemirror/state";
import type { EditorView } from "@codemirror/view";
import { Changes, renameStep } from "./pipeline/changes";
import { readDrawing, type Drawing, type Interfaces } from "./pipeline/drawing";
import { dropBeginning, groupProblems } from "./pipeline/problems";
import { isFields, type StepFieldTable } from "./pipeline/step_fields";
import type { FieldPlace, FormRefusals, RefusedText } from "./fields";
import type { Check, DocumentRoutes, Positions, Problem } from "./routes";
import { joinText, type FileText } from "./yaml/encoding";
import { reread } from "./yaml/reread";
import { Source, type Path, type Value } from "./yaml/source";

/** Where a document came from, and where it is saved. */
export type Origin = { kind: "file"; path: string; etag: string } | { kind: "draft"; name: string; etag: string } | { kind: "new" } | { kind: "upload"; name: string } | Copy;

/** A text that a form's field shows and that could not be taken. */
export interface Refusal extends RefusedText, FieldPlace {
  base: Path;
  /** Null for the form of the pipeline itself. */
  step: string | null;
  /** What the document had at the path, and what decides on the form's fields: the text is dropped once it has another. */
  written: string;
}

/** A document made of a job or of a component's version, which it does not change. */
export interface Copy {
  kind: "copy";
  of: "job" | "component";
  name: string;
}

export interface OpenedDocument {
  origin: Origin;
  file: FileText;
  /** What paths in the text are relative to, below the server's folder. */
  folder: string | null;
  positions: Positions;
}

export const movePositions = StateEffect.define<Positions>();
const positionField = StateField.define<Positions>({
  create: () => ({}),
  update: (value, transaction) => transaction.effects.reduce((now, effect) => (effect.is(movePositions) ? effect.value : now), value),
});
const undoMoves = invertedEffects.of((transaction) => (transaction.effects.some((effect) => effect.is(movePositions)) ? [movePositions.of(transaction.startState.field(positionField))] : []));

const TYPING_PAUSE = 120;
const CHECK_PAUSE = 250;
const DEEP_PAUSE = 1500;

/** An opened document: its text, which alone is kept and saved, its drawing, and what the server says of it. */
export class DesignerStore {
  state: EditorState;
  view: EditorView | null = null;
  origin: Origin;
  folder: string | null;
  source: Source;
  drawing: Drawing;
  /** False until the text could be read once. */
  hasDrawing: boolean;
  interfaces: Interfaces = {};
  /** The keys of each type of step, once the server has said them. */
  stepFields: Record<string, StepFieldTable> = {};
  problems: Problem[] = [];
  warnings: Problem[] = [];
  isChecking = true;
  base: Path = [];
  selected: ReadonlySet<string> = new Set();
  /** Hears which steps and inputs changed with an edit of others, as they have the same lines by an alias. */
  onShared: (names: string[]) => void = () => {};
  /** The texts that forms could not take. */
  refused: readonly Refusal[] = [];
  private file: FileText;
  private grouped: { of: readonly unknown[]; problems: Map<string, string[]> } | null = null;
  private marked: { of: readonly unknown[]; marks: Map<string, string[]> } | null = null;
  private typed = new Set<string>();
  private readonly forms = new Map<string, FormRefusals>();
  /** A text that was parsed before it became the document's. */
  private parsed: Source | null = null;
  /** Milliseconds that the last text took to be read. */
  private readCost = 0;
  private readonly listeners = new Set<() => void>();
  private version = 0;
  private drawnVersion = 0;
  private drawn: readonly unknown[] = [];
  private savedText: string;
  private timers: Partial<Record<"read" | "check" | "deep", ReturnType<typeof setTimeout>>> = {};
  private asking: AbortController | null = null;

  constructor(
    readonly routes: DocumentRoutes,
    opened: OpenedDocument,
    more: Extension = [],
  ) {
    this.file = opened.file;
    this.origin = opened.origin;
    this.folder = opened.folder;
    this.savedText = opened.origin.kind === "new" ? "" : opened.file.text;
    this.state = EditorState.create({ doc: opened.file.text, extensions: [...this.extensions, more, positionField.init(() => opened.positions)] });
    this.source = new Source(opened.file.text);
    this.hasDrawing = !this.source.isBroken;
    this.drawing = readDrawing(this.hasDrawing ? this.source : new Source(""), {}, []);
  }

  /** A file's own line breaks stay within its lines unless all are alike; see yaml/encoding.ts. */
  readonly extensions: Extension[] = [history({ newGroupDelay: 600 }), undoMoves, EditorState.lineSeparator.of("\n")];

  subscribe = (listener: () => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };
  getVersion = () => this.version;
  /** Changes with what is drawn and what forms show; a key typed in the text changes neither. */
  getDrawnVersion = () => this.drawnVersion;

  get text(): string {
    return this.state.sliceDoc();
  }

  get fileText(): FileText {
    return { ...this.file, text: this.text };
  }

  get positions(): Positions {
    return this.state.field(positionField);
  }

  get isChanged(): boolean {
    return this.text !== this.savedText;
  }

  /** What the document is called in the pages. */
  get title(): string {
    const { origin } = this;
    return origin.kind === "file" ? origin.path : origin.kind === "draft" || origin.kind === "upload" ? origin.name : origin.kind === "copy" ? `Copy of ${origin.name}` : "New pipeline";
  }

  get fileName(): string {
    const { origin } = this;
    if (origin.kind === "file") return origin.path.split("/").at(-1)!;
    return origin.kind === "draft" || origin.kind === "copy" ? `${origin.name}.yml` : origin.kind === "upload" ? origin.name : "pipeline.yml";
  }

  get canUndo(): boolean {
    return undoDepth(this.state) > 0;
  }

  get canRedo(): boolean {
    return redoDepth(this.state) > 0;
  }

  get stepProblems(): Map<string, string[]> {
    const of = [this.source, this.drawing, this.interfaces, this.problems, this.fileName] as const;
    if (!this.grouped || of.some((one, k) => one !== this.grouped!.of[k])) this.grouped = { of, problems: groupProblems(...of) };
    return this.grouped.problems;
  }

  /** What is wrong with each step: what the server says, and texts that its form could not take. */
  get stepMarks(): Map<string, string[]> {
    if (!this.refused.length) return this.stepProblems;
    const of = [this.stepProblems, this.refused, this.source, this.base] as const;
    if (!this.marked || of.some((one, k) => one !== this.marked!.of[k])) this.marked = { of, marks: addRefusals(this.stepProblems, this.refused, this.base) };
    return this.marked.marks;
  }

  /** Change the text as a person does in the drawing: one step of undo. */
  edit(make: (changes: Changes) => void, positions?: Positions): void {
    this.readText();
    if (this.source.isBroken) throw new Error("the YAML does not parse, so the drawing cannot change it; correct the text first");
    const changes = new Changes(this.source);
    make(changes);
    if (changes.edits.length) refuseBroken(changes.source);
    const shared = changes.edits.length && this.text.includes("*") ? listShared(this.source, changes.source, this.base) : [];
    this.parsed = changes.edits.length ? changes.source : null;
    let set = ChangeSet.empty(this.state.doc.length);
    for (const edit of changes.edits) set = set.compose(ChangeSet.of({ ...edit }, set.newLength, "\n"));
    this.dispatch({ changes: set, effects: positions ? [movePositions.of(positions)] : [], annotations: isolateHistory.of("full"), userEvent: "input.draw", scrollIntoView: false });
    this.readText();
    if (shared.length) this.onShared(shared);
  }

  /** The refused texts of the form of a step, or of the pipeline itself, of the drawing that is open. */
  getForm(step: string | null): FormRefusals {
    const { base } = this;
    const key = JSON.stringify([...base, step]);
    const isOwn = (one: Refusal) => JSON.stringify([...one.base, one.step]) === key;
    if (!this.forms.has(key)) this.forms.set(key, {
      find: (place) => this.refused.find((one) => isOwn(one) && isSamePlace(one, place)),
      has: (path) => this.refused.some((one) => isOwn(one) && isWithin(one.path, path)),
      refuse: (place, refused) => {
        const others = this.refused.filter((one) => !isOwn(one) || !isSamePlace(one, place));
        if (!refused && others.length === this.refused.length) return;
        const made = refused && { ...refused, ...place, base, step };
        this.refused = made ? [...others, { ...made, written: readWritten(this.source, this.source.data, made) }] : others;
        this.announce();
      },
    });
    return this.forms.get(key)!;
  }

  /** Rename a step of the drawing that is open, and have its refused texts under the new name. */
  renameStep(step: string, to: string, positions?: Positions): void {
    const { base } = this;
    const path = [...base, "jobs", step];
    const move = (old: Path) => (isWithin(old, path) ? [...base, "jobs", to, ...old.slice(path.length)] : old);
    this.readText();
    const before = this.refused;
    const typed = this.typed;
    this.refused = before.filter((one) => !isSamePlace(one, { path, isKey: true })).map((one) => ({ ...one, base: move(one.base), path: move(one.path), step: one.step === step && isSamePath(one.base, base) ? to : one.step }));
    this.typed = new Set([...typed].map((one) => JSON.stringify(move(JSON.parse(one) as Path))));
    try {
      this.edit((changes) => renameStep(changes, base, step, to), positions);
    } catch (error) {
      this.refused = before;
      this.typed = typed;
      throw error;
    }
  }

  /** True if somebody chose to type the value of an input and has given none yet. */
  isTyped(path: Path): boolean {
    return this.typed.has(JSON.stringify(path));
  }

  markTyped(path: Path, is: boolean): void {
    if (is) this.typed.add(JSON.stringify(path));
    else this.typed.delete(JSON.stringify(path));
  }

  /** True for a new pipeline as long as it has no step, which is no mistake yet. */
  get isBeginning(): boolean {
    return this.origin.kind === "new" && this.hasDrawing && !this.source.isBroken && !this.drawing.steps.length && !this.base.length;
  }

  get problemCount(): number {
    return this.problems.length + this.refused.length;
  }

  movePositions(positions: Positions): void {
    this.dispatch({ effects: movePositions.of(positions), annotations: isolateHistory.of("full") });
  }

  select(names: Iterable<string>): void {
    const next = new Set(names);
    if (next.size === this.selected.size && [...next].every((name) => this.selected.has(name))) return;
    this.selected = next;
    this.announce();
  }

  openBase(base: Path): void {
    this.base = base;
    this.selected = new Set();
    this.readText(true);
  }

  undo = () => undo({ state: this.state, dispatch: this.applyOne });
  redo = () => redo({ state: this.state, dispatch: this.applyOne });

  dispatch(spec: TransactionSpec): void {
    this.apply([this.state.update(spec)]);
  }

  /** Take transactions of the editor or of the drawing. */
  apply = (transactions: readonly Transaction[]) => {
    if (!transactions.length) return;
    if (this.view) this.view.update(transactions);
    this.state = transactions.at(-1)!.state;
    if (transactions.some((one) => one.docChanged)) {
      const isTyped = transactions.some((one) => one.isUserEvent("input.type") || one.isUserEvent("delete"));
      clearTimeout(this.timers.read);
      if (isTyped) this.timers.read = setTimeout(() => this.readText(), Math.max(TYPING_PAUSE, 3 * this.readCost)); // not between two keys
      else this.readText();
      this.planCheck(CHECK_PAUSE);
    }
    this.announce();
  };

  /** Take what the text was when it was sent to be saved: it may have changed since. */
  markSaved(text: string, origin: Origin, folder: string | null): void {
    this.origin = origin;
    this.folder = folder;
    this.savedText = text;
    this.planCheck(0);
    this.announce();
  }

  /** Take the document as another program left it; undo brings the text of before back. */
  reload({ origin, file, folder, positions }: OpenedDocument): void {
    this.origin = origin;
    this.folder = folder;
    this.file = file;
    this.savedText = file.text;
    this.dispatch({ changes: { from: 0, to: this.state.doc.length, insert: file.text }, effects: movePositions.of(positions), annotations: isolateHistory.of("full"), userEvent: "input.reload" });
  }

  /** Ask the server for the problems of the text, and for its components. */
  async check(act: "quick" | "deep" = "quick"): Promise<void> {
    this.asking?.abort();
    const own = (this.asking = new AbortController());
    const body = { text: this.text, folder: this.folder, file: this.fileName };
    try {
      const found = act === "quick" ? await this.routes.check(body, own.signal) : await this.routes.submit<Pick<Check, "problems" | "warnings">>("check", body, {}, own.signal);
      if (own.signal.aborted) return;
      if (this.isBeginning) found.problems = dropBeginning(found.problems);
      if (this.problems.length + this.warnings.length + found.problems.length + found.warnings.length > 0) this.problems = found.problems;
      this.warnings = found.warnings;
      if ("components" in found && !isAlike(this.interfaces, (found as Check).components)) {
        this.interfaces = (found as Check).components;
        this.readText(true);
      }
      this.isChecking = act === "quick" && !found.problems.length;
      if (this.isChecking) this.timers.deep = setTimeout(() => void this.check("deep"), DEEP_PAUSE);
    } catch (error) {
      if (own.signal.aborted) return;
      this.isChecking = false;
      this.problems = [{ file: "", line: 0, column: 0, message: (error as Error).message }];
    }
    this.announce();
  }

  /** The text as its file has it. */
  get joinedText(): string {
    return joinText(this.fileText);
  }

  /** Go on with a document that was left. */
  resume(): void {
    this.planCheck(0);
    if (Object.keys(this.stepFields).length) return;
    this.routes.listStepFields().then((found) => {
      this.stepFields = found;
      this.announce();
    }, () => {}); // without them the forms show what the file has
  }

  close(): void {
    Object.values(this.timers).forEach(clearTimeout);
    this.asking?.abort();
  }

  private applyOne = (transaction: Transaction) => this.apply([transaction]);

  private readText(always = false): void {
    clearTimeout(this.timers.read);
    const text = this.text;
    if (!always && text === this.source.text) return;
    const from = performance.now();
    if (text !== this.source.text) this.source = this.parsed?.text === text ? this.parsed : reread(this.source, text);
    this.parsed = null;
    if (!this.source.isBroken) {
      this.dropRefused();
      if (this.base.length && !this.source.findMap(this.base)) this.base = [];
      this.hasDrawing = true;
      this.drawing = readDrawing(this.source, this.interfaces, this.base);
    }
    this.readCost = Math.min(500, performance.now() - from);
    this.announce();
  }

  /** Drop the refused texts of fields that are no longer there, or that show another value. */
  private dropRefused(): void {
    if (!this.refused.length) return;
    const { source } = this;
    const { data } = source;
    const still = this.refused.filter((one) => one.written === readWritten(source, data, one));
    if (still.length < this.refused.length) this.refused = still;
  }

  private planCheck(pause: number): void {
    clearTimeout(this.timers.check);
    clearTimeout(this.timers.deep);
    this.isChecking = true;
    this.timers.check = setTimeout(() => void this.check(), pause);
  }

  private announce(): void {
    this.version += 1;
    const drawn = [this.source, this.drawing, this.interfaces, this.problems, this.stepFields, this.positions, this.selected, this.folder, this.fileName, this.refused];
    if (drawn.some((one, k) => one !== this.drawn[k])) this.drawnVersion += 1;
    this.drawn = drawn;
    this.listeners.forEach((listener) => listener());
  }
}

/** What a document has where a refused text is, and what decides on the fields of its form. */
function readWritten(source: Source, data: Value, { base, step, path, isKey }: Pick<Refusal, "base" | "step" | "path" | "isKey">): string {
  const body = step === null ? null : readValue(data, [...base, "jobs", step]);
  const kinds = isFields(body) ? [body.type, body.component, body.trial].map((one) => (typeof one === "string" ? one : null)) : [];
  return JSON.stringify([isKey ? source.resolve(path) !== undefined : readValue(data, path), step === null || body !== null, kinds]);
}

const isSamePath = (one: Path, other: Path): boolean => one.length === other.length && isWithin(one, other);
const isWithin = (path: Path, above: Path): boolean => above.every((part, k) => path[k] === part);
const isSamePlace = (one: FieldPlace, other: FieldPlace): boolean => !one.isKey === !other.isKey && isSamePath(one.path, other.path);

/** Where a refused text is, and why it could not be taken, in a sentence. */
export function describeRefusal({ base, step, label, why }: Refusal): string {
  const above = base.filter((part) => part !== "jobs" && part !== "component");
  const place = [...above, ...(step === null ? [] : [step])].join(" / ");
  return `${place ? `step '${place}'` : "the pipeline"}, ${label}: ${why}`;
}

function addRefusals(problems: Map<string, string[]>, refused: readonly Refusal[], base: Path): Map<string, string[]> {
  const marks = new Map(problems);
  for (const one of refused) {
    const name = findStepWithin(base, one);
    if (name !== null) marks.set(name, [...(marks.get(name) ?? []), `${one.label}: ${one.why}`]);
  }
  return marks;
}

/** The step of the drawing at `base` in which a refused text is; null if it is in none. */
function findStepWithin(base: Path, one: Refusal): string | null {
  const place = one.step === null ? one.base : [...one.base, "jobs", one.step];
  const isBelow = base.every((part, k) => place[k] === part) && place[base.length] === "jobs";
  return isBelow ? String(place[base.length + 1]) : null;
}

/** The steps and inputs whose meaning an edit changed and whose own lines it did not: they have others' lines by an alias. */
function listShared(before: Source, after: Source, base: Path): string[] {
  return ["inputs", "jobs"].flatMap((side) => {
    const [was, is] = [before, after].map((source) => readFields(source, [...base, side]));
    return Object.keys(is).filter((name) => {
      if (!(name in was) || JSON.stringify(was[name]) === JSON.stringify(is[name])) return false;
      const [old, now] = [before, after].map((source) => source.findRange([...base, side, name]));
      return old && now && before.text.slice(...old) === after.text.slice(...now);
    });
  });
}

function readFields({ data }: Source, path: Path): Record<string, Value> {
  const found = readValue(data, path);
  return isFields(found) ? found : {};
}

const readValue = (data: Value, path: Path): Value => path.reduce<Value>((value, key) => (isFields(value) ? (value[key as string] ?? null) : null), data);

/** An edit that leaves no YAML is not made: what is unusual in a text may be more than the edit knows of. */
function refuseBroken(made: Source): void {
  const why = made.doc.errors[0]?.message.split("\n")[0] ?? explainAliases(made);
  if (why) throw new Error(`the drawing cannot make this change of the text, which would not parse any more (${why}); make it in the YAML`);
}

/** Why the aliases of a text stand for nothing; null if they do. */
function explainAliases(made: Source): string | null {
  if (!made.text.includes("*")) return null;
  try {
    made.doc.toJS({ maxAliasCount: 10_000 });
    return null;
  } catch (error) {
    return (error as Error).message.split("\n")[0];
  }
}

/** True if two answers of the server say the same; then nothing that is made of the old one is made again. */
const isAlike = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);
