import type { GraphJob, JobGraph, StepFacts } from "../api/types";
import type { NodeMark } from "../graph/NodeBox";
import { formatDuration } from "../text/format";
import { nameState } from "../text/states";

export type DifferenceKind = "code" | "command" | "component" | "environment" | "variable" | "parameter" | "input" | "output" | "state" | "duration";

/** A difference between a step and the same step of the other job; undefined where one of them has nothing there. */
export interface Difference {
  kind: DifferenceKind;
  name: string;
  base: string | undefined;
  other: string | undefined;
}

export type MarkLook = NodeMark["look"];

/** What differs in a step between two jobs. */
export interface StepMark {
  look: MarkLook;
  /** The step's job in each of the two. */
  base: GraphJob | undefined;
  other: GraphJob | undefined;
  differences: Difference[];
}

export interface MarkedGraph {
  /** The graph of the other job, with the steps that only the first has. */
  graph: JobGraph;
  /** By the names of the jobs in that graph. */
  marks: Map<string, StepMark>;
}

const SWEEPS = new Set(["sweep", "automl"]);
const LEAST_SECONDS = 1;
const LEAST_SHARE = 0.25;
const SECTIONS = [["variables", "variable"], ["parameters", "parameter"], ["inputs", "input"], ["outputs", "output"]] as const;
const TEXTS = ["component", "command", "code", "environment"] as const;

/** Lay the graphs of two jobs over each other by the paths of their steps, and mark what differs. */
export function markGraph(base: JobGraph, other: JobGraph, baseFacts: Record<string, StepFacts>, otherFacts: Record<string, StepFacts>): MarkedGraph {
  const [baseSteps, otherSteps] = [indexSteps(base), indexSteps(other)];
  const removed = [...baseSteps.values()].filter((job) => !otherSteps.has(job.label));
  const labels = new Map(base.jobs.map((job) => [job.name, job.label]));
  const nameOf = (label: string) => (otherSteps.get(label) ?? baseSteps.get(label))?.name ?? null;
  const jobs = [...other.jobs, ...removed.map((job) => ({ ...job, parent: job.parent === null ? null : nameOf(labels.get(job.parent) ?? "") }))];
  const graph = { ...other, jobs, edges: [...other.edges, ...listRemovedEdges(base, removed, jobs, nameOf)] };
  const marks = new Map<string, StepMark>();
  for (const job of jobs) {
    const [one, two] = [baseSteps.get(job.label), otherSteps.get(job.label)];
    if (!one && !two) continue; // a trial: those of two sweeps do not correspond
    const differences = one && two ? listDifferences(one, two, baseFacts[job.label] ?? {}, otherFacts[job.label] ?? {}) : [];
    marks.set(job.name, { look: !one ? "added" : !two ? "removed" : differences.length ? "changed" : "same", base: one, other: two, differences });
  }
  markAncestors(jobs, marks);
  return { graph, marks };
}

/** The steps by their paths, without trials and what is below them. */
function indexSteps(graph: JobGraph): Map<string, GraphJob> {
  const found = new Map<string, GraphJob>();
  const [types, hidden] = [new Map<string, string>(), new Set<string>()];
  for (const job of graph.jobs) {
    types.set(job.name, job.type);
    const isTrial = job.parent !== null && SWEEPS.has(types.get(job.parent) ?? "") && /^trial_/.test(job.node ?? "");
    if (isTrial || (job.parent !== null && hidden.has(job.parent))) hidden.add(job.name);
    else found.set(job.label, job);
  }
  return found;
}

function listRemovedEdges(base: JobGraph, removed: GraphJob[], jobs: GraphJob[], nameOf: (label: string) => string | null): [number, number][] {
  const gone = new Set(removed.map((job) => job.name));
  const places = new Map(jobs.map((job, place) => [job.name, place]));
  return base.edges.flatMap(([from, to]): [number, number][] => {
    const [one, two] = [base.jobs[from], base.jobs[to]];
    if (!one || !two || !(gone.has(one.name) || gone.has(two.name))) return [];
    const [start, end] = [places.get(nameOf(one.label) ?? ""), places.get(nameOf(two.label) ?? "")];
    return start === undefined || end === undefined ? [] : [[start, end]];
  });
}

export function listDifferences(base: GraphJob, other: GraphJob, baseFacts: StepFacts, otherFacts: StepFacts): Difference[] {
  const found: Difference[] = [];
  const add = (kind: DifferenceKind, name: string, one: string | undefined, two: string | undefined) => one !== two && found.push({ kind, name, base: one, other: two });
  for (const key of TEXTS) add(key, key, baseFacts[key], otherFacts[key]);
  for (const [section, kind] of SECTIONS) {
    const [one, two] = [baseFacts[section] ?? {}, otherFacts[section] ?? {}];
    for (const name of new Set([...Object.keys(one), ...Object.keys(two)])) add(kind, name, one[name], two[name]);
  }
  add("state", "state", nameState(base.status), nameState(other.status));
  if (hasOtherDuration(base, other)) add("duration", "duration", formatDuration(base.end! - base.start!), formatDuration(other.end! - other.start!));
  return found;
}

/** True if the command took a time that differs by more than chance makes it. */
function hasOtherDuration(base: GraphJob, other: GraphJob): boolean {
  const jobs = [base, other];
  if (jobs.some((job) => job.reused || job.composite || job.status !== "Completed" || job.start === null || job.end === null)) return false;
  const [one, two] = jobs.map((job) => job.end! - job.start!);
  return Math.abs(one - two) > Math.max(LEAST_SECONDS, LEAST_SHARE * Math.max(one, two));
}

/** Mark what has a difference among the steps below it. */
function markAncestors(jobs: GraphJob[], marks: Map<string, StepMark>): void {
  const parents = new Map(jobs.map((job) => [job.name, job.parent]));
  for (const [name, mark] of marks) {
    if (mark.look === "same" || mark.look === "inside") continue;
    for (let above = parents.get(name); above; above = parents.get(above)) {
      const of = marks.get(above);
      if (of?.look === "same") of.look = "inside";
    }
  }
}

const WORDS: Record<MarkLook, string> = { added: "only in this job", removed: "no longer there", changed: "changed", inside: "changed inside", same: "the same" };

/** A mark in a few words, for a node of the graph. */
export function describeMark(mark: StepMark): string {
  if (mark.look !== "changed") return WORDS[mark.look];
  const kinds = [...new Set(mark.differences.map(({ kind }) => kind))];
  return kinds.length > 3 ? `${kinds.slice(0, 2).join(", ")} + ${kinds.length - 2}` : kinds.join(", ");
}

export function countMarks(marks: StepMark[]): Record<MarkLook, number> {
  const counts: Record<MarkLook, number> = { added: 0, removed: 0, changed: 0, inside: 0, same: 0 };
  for (const mark of marks) counts[mark.look] += 1;
  return counts;
}

const ORDER: MarkLook[] = ["changed", "added", "removed", "inside", "same"];

export function combineMarks(marks: StepMark[]): NodeMark | undefined {
  const look = ORDER.find((one) => marks.some((mark) => mark.look === one));
  if (!look) return undefined;
  if (marks.length === 1) return { look, text: describeMark(marks[0]) };
  const count = marks.filter((mark) => mark.look === look).length;
  return { look, text: count === marks.length ? WORDS[look] : `${count} ${WORDS[look]}` };
}
