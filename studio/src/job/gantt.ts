import type { JobGraph, State, Timeline } from "../api/types";
import { findRunTime } from "../text/format";
import { getLook, isOver, type Look } from "../text/states";

/** A stretch of a job's time in one kind of state. */
export interface Stretch {
  look: Look | "storing";
  state: State;
  from: number;
  to: number;
}

export interface GanttRow {
  name: string;
  label: string;
  isComposite: boolean;
  depth: number;
  status: State;
  stretches: Stretch[];
  isCritical: boolean;
  isReused: boolean;
  /** How long it ran, as everywhere else; null if it never did. */
  seconds: number | null;
}

export interface Gantt {
  rows: GanttRow[];
  from: number;
  to: number;
}

/** Where the time of a job and its steps went. What still runs goes on until `now`. */
export function buildGantt(graph: JobGraph, timeline: Timeline, now: number): Gantt {
  const jobs = new Map(graph.jobs.map((job) => [job.name, job]));
  const critical = findCriticalPath(graph);
  const rows = timeline.jobs.flatMap((one): GanttRow[] => {
    const job = jobs.get(one.name);
    if (!job) return [];
    const stretches = buildStretches(one.states, now);
    const label = one.label || job.display_name || job.name;
    return [{ name: one.name, label, isComposite: job.composite, depth: one.label ? one.label.split("/").length : 0, status: job.status, stretches, isCritical: critical.has(one.name), isReused: job.reused !== undefined, seconds: findRunTime(job, now) }];
  });
  const times = rows.flatMap((row) => row.stretches.flatMap(({ from, to }) => [from, to]));
  const from = times.reduce((least, time) => Math.min(least, time), Infinity);
  const to = times.reduce((most, time) => Math.max(most, time), -Infinity);
  return times.length ? { rows, from, to: Math.max(to, from + 0.001) } : { rows, from: 0, to: 1 };
}

function buildStretches(states: [State, number][], now: number): Stretch[] {
  const found: Stretch[] = [];
  states.forEach(([state, at], k) => {
    if (isOver(state)) return;
    const to = states[k + 1]?.[1] ?? now;
    const look = state === "Finalizing" ? "storing" : getLook(state);
    const last = found.at(-1);
    if (last && last.look === look) last.to = to;
    else if (to > at) found.push({ look, state, from: at, to });
  });
  return found;
}

/** The steps that decided when the job ended: from the last to end, back along what each waited for last. */
export function findCriticalPath(graph: JobGraph): Set<string> {
  const before = new Map<number, number[]>();
  for (const [from, to] of graph.edges) before.set(to, [...(before.get(to) ?? []), from]);
  const end = (place: number) => graph.jobs[place].end ?? Infinity;
  const latest = (places: number[]) => places.reduce((best, place) => (end(place) > end(best) ? place : best), places[0]);
  const path = new Set<string>();
  const walk = (parent: string) => {
    const steps = graph.jobs.flatMap((job, place) => (job.parent === parent && job.start !== null ? [place] : []));
    for (let at: number | undefined = steps.length ? latest(steps) : undefined; at !== undefined && !path.has(graph.jobs[at].name); ) {
      const job = graph.jobs[at];
      path.add(job.name);
      if (job.composite) walk(job.name);
      const waited: number[] = (before.get(at) ?? []).filter((place) => graph.jobs[place].start !== null);
      at = waited.length ? latest(waited) : undefined;
    }
  };
  if (graph.jobs[0]) walk(graph.jobs[0].name);
  return path;
}

/** Seconds in each kind of state, of all steps together. */
export function sumLooks(rows: GanttRow[]): [Stretch["look"], number][] {
  const sums = new Map<Stretch["look"], number>();
  const leaves = rows.some((row) => !row.isComposite) ? rows.filter((row) => !row.isComposite) : rows;
  for (const { stretches } of leaves) for (const { look, from, to } of stretches) sums.set(look, (sums.get(look) ?? 0) + to - from);
  return [...sums].sort((a, b) => b[1] - a[1]);
}

/** Round marks for an axis of so many seconds, about `count` of them. */
export function chooseTicks(seconds: number, count = 6): number[] {
  const steps = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400, 7 * 86400];
  const step = steps.find((one) => seconds / one <= count) ?? 30 * 86400;
  return Array.from({ length: Math.floor(seconds / step + 1e-9) + 1 }, (_, k) => Number((k * step).toFixed(2)));
}
