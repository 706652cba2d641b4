import type { ComparedJob } from "../api/types";
import { formatDuration } from "../text/format";
import { nameState } from "../text/states";

/** A fact that at least one of the jobs has; a value is undefined where a job does not have it. */
export interface FactRow {
  name: string;
  values: (string | undefined)[];
  differs: boolean;
}

export interface FactSection {
  name: string;
  rows: FactRow[];
}

/** The end of an input whose content nobody looked at: two of them may differ. */
const UNKNOWN_CONTENT = "(content not known)";

type Facts = Record<string, unknown> | undefined;

/** What jobs are and read, section by section, as far as one of them has something there. */
export function listSummary(jobs: ComparedJob[]): FactSection[] {
  return keepFilled([
    { name: "Job", rows: buildRows(jobs, describeJob) },
    { name: "Parameters", rows: buildRows(jobs, (job) => job.parameters) },
    { name: "Inputs", rows: buildRows(jobs, (job) => job.inputs) },
    { name: "Sweep", rows: buildRows(jobs, (job) => job.sweep) },
    { name: "Search space", rows: buildRows(jobs, (job) => job.space) },
    { name: "Best trial", rows: buildRows(jobs, (job) => job.best) },
    { name: "Steps", rows: buildStepRows(jobs) },
    { name: "Tags", rows: buildRows(jobs, (job) => job.tags) },
    { name: "Code", rows: buildRows(jobs, (job) => job.code && { repository: job.code.repository, branch: job.code.branch, commit: job.code.commit, "uncommitted changes": job.code.dirty, snapshot: job.code.snapshot?.slice(0, 12) }) },
  ]);
}

const ENVIRONMENT_STEP = /: (environment|variables\.)/;

/** What jobs ran in; of pipelines what their steps ran in. */
export function listEnvironment(jobs: ComparedJob[]): FactSection[] {
  const ofSteps = (job: ComparedJob) => Object.fromEntries(Object.entries(job.steps ?? {}).filter(([name]) => ENVIRONMENT_STEP.test(name)));
  return keepFilled([
    { name: "Environment", rows: buildRows(jobs, (job) => job.environment && { name: job.environment.name, image: job.environment.image }) },
    { name: "Packages", rows: buildRows(jobs, (job) => job.environment?.packages) },
    { name: "Environment variables", rows: buildRows(jobs, (job) => job.variables) },
    { name: "Of the steps", rows: buildRows(jobs, ofSteps) },
  ]);
}

/** A row for each name that one of the jobs has: those that differ first, each kind in the order in which it came. */
export function buildRows(jobs: ComparedJob[], select: (job: ComparedJob) => Facts): FactRow[] {
  const facts = jobs.map((job) => select(job) ?? {});
  const names = [...new Set(facts.flatMap((one) => Object.keys(one).filter((key) => one[key] !== undefined && one[key] !== null)))];
  const rows = names.map((name): FactRow => {
    const values = facts.map((one) => (one[name] === undefined || one[name] === null ? undefined : formatFact(one[name])));
    return { name, values, differs: values.some((value) => value !== values[0] || value?.endsWith(UNKNOWN_CONTENT)) };
  });
  return [...rows.filter((row) => row.differs), ...rows.filter((row) => !row.differs)];
}

/** The facts of steps; a step that a job does not have at all is one row. */
function buildStepRows(jobs: ComparedJob[]): FactRow[] {
  const withSteps = jobs.map((job) => new Set(Object.keys(job.steps ?? {}).map(getStep)));
  const isShared = (step: string) => withSteps.every((steps) => steps.has(step));
  const shared = buildRows(jobs, (job) => job.steps && Object.fromEntries(Object.entries(job.steps).filter(([name]) => isShared(getStep(name)))));
  const others = [...new Set(withSteps.flatMap((steps) => [...steps]))].filter((step) => !isShared(step));
  return [...others.map((step): FactRow => ({ name: step, values: withSteps.map((steps) => (steps.has(step) ? "a step of it" : undefined)), differs: true })), ...shared];
}

const getStep = (name: string): string => name.slice(0, name.indexOf(": "));

export function formatFact(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

export function countDifferences(sections: FactSection[]): number {
  return sections.reduce((sum, { rows }) => sum + rows.filter((row) => row.differs).length, 0);
}

function describeJob(job: ComparedJob): Facts {
  const took = job.start !== undefined && job.end !== undefined ? formatDuration(job.end - job.start) : undefined;
  return {
    state: nameState(job.status), type: job.type.replaceAll("_", " "), experiment: job.experiment,
    took, command: job.command, compute: job.compute, owner: job.created_by,
  };
}

const keepFilled = (sections: FactSection[]): FactSection[] => sections.filter(({ rows }) => rows.length > 0);
