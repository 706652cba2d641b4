import { isAlias, isCollection, isMap, isPair, isScalar, type Document, type Node, type Pair, type YAMLMap } from "yaml";
import { columnOf, forgetIndex, keyEndOf, keyOf, lineStart, Source, startOf } from "./source";

/** Mappings with fewer steps are parsed as quickly as it takes to look. */
const MIN_STEPS = 20;

interface ChangedStep {
  steps: YAMLMap;
  index: number;
  /** The lines of the step in the text of before, and where they end in the text of now. */
  from: number;
  to: number;
  end: number;
}

/** Parse a text that is like another but for one step: that step alone is parsed, and all else taken over.
 *
 * The other text gives its nodes away; whoever asks it again has it parsed anew. */
export function reread(before: Source, text: string): Source {
  const changed = before.isBroken || !isPlain(before.doc) ? null : findChangedStep(before, text);
  const step = changed && readStep(text.slice(changed.from, changed.end), changed);
  if (!step) return new Source(text);
  const { steps, index, from, to, end } = changed;
  const doc = before.release();
  steps.items.splice(index, 1);
  move(doc.contents, to, end - to);
  move(step, 0, from);
  steps.items.splice(index, 0, step);
  forgetIndex(steps);
  return new Source(text, doc);
}

/** The step in whose lines, after its key, all that differs is; null if there is no such one. */
function findChangedStep(before: Source, text: string): ChangedStep | null {
  const old = before.text;
  const steps = before.findMap(["jobs"]);
  if (!steps || steps.flow || steps.items.length < MIN_STEPS || !steps.items.every(({ key }) => isScalar(key))) return null;
  let first = 0;
  while (first < old.length && old[first] === text[first]) first += 1;
  let same = 0;
  while (same < Math.min(old.length, text.length) - first && old[old.length - 1 - same] === text[text.length - 1 - same]) same += 1;
  const last = old.length - same;
  const index = steps.items.findIndex((_, k) => k + 1 < steps.items.length && startOf(steps.items[k + 1]) > first);
  const [step, next] = [steps.items[index], steps.items[index + 1]];
  if (!step || first <= keyEndOf(step) || !startsLine(old, step) || !startsLine(old, next)) return null;
  const [from, to] = [lineStart(old, startOf(step)), lineStart(old, startOf(next))];
  const end = to + text.length - old.length;
  return last <= to && text[end - 1] === "\n" ? { steps, index, from, to, end } : null;
}

const startsLine = (text: string, pair: Pair): boolean => /^ *$/.test(text.slice(lineStart(text, startOf(pair)), startOf(pair)));

/** The pair that the lines of a step are; null if they are more, or mean something beside others only. */
function readStep(lines: string, { steps, index, from }: ChangedStep): Pair | null {
  if (/^(---|\.\.\.)/m.test(lines)) return null;
  const { doc } = new Source(lines);
  if (doc.errors.length || !isMap(doc.contents) || doc.contents.flow || doc.contents.items.length !== 1 || !isPlain(doc)) return null;
  const step = doc.contents.items[0] as Pair;
  const old = steps.items[index];
  return isScalar(step.key) && keyOf(step) === keyOf(old) && from + startOf(step) === startOf(old) && columnOf(lines, startOf(step)) > 0 ? step : null;
}

/** Move what stands at a place or after it. */
function move(node: unknown, place: number, by: number): void {
  if (isPair(node)) {
    move(node.key, place, by);
    move(node.value, place, by);
    return;
  }
  const { range } = (node ?? {}) as Node;
  if (range) (node as Node).range = range.map((one) => (one >= place ? one + by : one)) as typeof range;
  if (isCollection(node)) for (const item of node.items) move(item, place, by);
}

const plain = new WeakMap<Document, boolean>();

/** True if no part of a document stands for another: it has neither anchors nor aliases. */
function isPlain(doc: Document): boolean {
  let found = plain.get(doc);
  if (found === undefined) plain.set(doc, (found = isPlainNode(doc.contents)));
  return found;
}

function isPlainNode(node: unknown): boolean {
  if (isPair(node)) return isPlainNode(node.key) && isPlainNode(node.value);
  if (isAlias(node) || (node as { anchor?: string } | null)?.anchor) return false;
  return !isCollection(node) || node.items.every(isPlainNode);
}
