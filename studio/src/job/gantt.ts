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
  const critical = findCriticalPath(graph, timeline);
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

/** The steps that decided when the job ended: from the last to end, back along what each waited for last.
 *
 * A trial of a sweep, or an item of a loop, waited for the one before it in the same place. */
export function findCriticalPath(graph: JobGraph, timeline?: Timeline): Set<string> {
  const before = new Map<number, number[]>();
  for (const [from, to] of graph.edges) before.set(to, [...(before.get(to) ?? []), from]);
  const left = new Map(timeline?.jobs.map(({ name, states }) => [name, states.find(([state]) => state === "Finalizing")?.[1]]));
  for (const [from, to] of findPlaceHolders(graph, left)) before.set(to, [from]);
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

/** Parents of which only so many children run at a time, and which add the next where one has ended. */
const TURNS = new Set(["sweep", "parallel_for"]);
/** Seconds by which the end of a job may be noted after the start of the one that has its place. */
const LATE = 0.25;

/** Pairs of a child and the one that had its place before, of parents whose children take turns; no place is given twice.
 *
 * A child begins as soon as it has a place, so that it is the place of the one that left at the nearest time. What it
 * waits for in the records may have ended long before. `left` has the times at which jobs left their places, where that
 * was before their ends. */
function findPlaceHolders(graph: JobGraph, left: Map<string, number | undefined>): [number, number][] {
  const types = new Map(graph.jobs.map((job) => [job.name, job.type]));
  const groups = new Map<string, number[]>();
  graph.jobs.forEach((job, place) => {
    if (job.parent === null || job.start === null || job.start === job.end || !TURNS.has(types.get(job.parent) ?? "")) return;
    groups.set(job.parent, [...(groups.get(job.parent) ?? []), place]);
  });
  const start = (place: number) => graph.jobs[place].start!;
  const leave = (place: number) => Math.min(graph.jobs[place].end ?? Infinity, left.get(graph.jobs[place].name) ?? Infinity);
  return [...groups.values()].flatMap((group) => {
    const given = new Set<number>();
    const ended = group.filter((place) => leave(place) < Infinity);
    return group.sort((a, b) => start(a) - start(b)).flatMap((place): [number, number][] => {
      let [best, nearest] = [-1, Infinity];
      for (const other of ended) {
        const late = leave(other) - start(place);
        const most = Math.min(LATE, (leave(other) - start(other)) / 2);
        if (other === place || given.has(other) || late > most || Math.abs(late) >= nearest) continue;
        [best, nearest] = [other, Math.abs(late)];
      }
      if (best < 0) return [];
      given.add(best);
      return [[best, place]];
    });
  });
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
