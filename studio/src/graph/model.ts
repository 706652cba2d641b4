import type { GraphJob, JobGraph, State } from "../api/types";
import { layOut, type Box, type Size } from "./layout";

/** A node as it is drawn: a job, or alike siblings folded into one. A job that is open is a frame around its children. */
export interface GraphNode {
  id: string;
  kind: "job" | "fold" | "frame";
  label: string;
  /** The jobs that it stands for: one, or all of a fold. */
  jobs: string[];
  type: string;
  /** The place of the node, and how deep it lies in frames. */
  box: Box;
  depth: number;
}

/** Places in `nodes`; an edge is implied if others lead the same way round, and an order if no data goes over it. */
export type GraphEdge = [from: number, to: number, isImplied: boolean, isOrder?: boolean];

type Link = [from: string, to: string, isOrder: boolean];

export interface Arrangement {
  nodes: GraphNode[];
  edges: GraphEdge[];
  width: number;
  height: number;
}

export interface Openings {
  /** The names of jobs that show their children. */
  frames: ReadonlySet<string>;
  /** The ids of folds that show their jobs. */
  folds: ReadonlySet<string>;
}

export const NODE: Size = { width: 216, height: 58 };
const FEWEST_FOLDED = 6;
const PADDING = 20;
const HEAD = 48;

interface Item {
  id: string;
  jobs: GraphJob[];
}

/** Arrange the children of the graph's first job, or that job alone if it has none. */
export function arrange(graph: JobGraph, open: Openings): Arrangement {
  const children = new Map<string | null, GraphJob[]>();
  graph.jobs.forEach((job, k) => {
    if (!k) return;
    const siblings = children.get(job.parent);
    if (siblings) siblings.push(job);
    else children.set(job.parent, [job]);
  });
  const top = graph.jobs[0];
  if (!top) return { nodes: [], edges: [], width: 0, height: 0 };
  const edges = liftEdges(graph);
  return arrangeLevel(children.get(top.name) ?? [top], children, edges, open, 0);
}

/** Bring each edge to the level where its ends are siblings. Trials of a sweep have none: they wait only for a place. */
function liftEdges(graph: JobGraph): Link[] {
  const orders = new Set(graph.orders);
  const sweeps = new Set<string | null>(graph.jobs.filter(({ type }) => type === "sweep").map(({ name }) => name));
  const parents = new Map(graph.jobs.map((job) => [job.name, job.parent]));
  const path = (name: string) => {
    const found = [name];
    for (let above = parents.get(name); above && parents.has(above); above = parents.get(above)) found.unshift(above);
    return found;
  };
  return graph.edges.flatMap(([from, to], k): Link[] => {
    const [one, other] = [graph.jobs[from], graph.jobs[to]];
    if (!one || !other) return [];
    if (one.parent === other.parent) return sweeps.has(one.parent) ? [] : [[one.name, other.name, orders.has(k)]];
    const [a, b] = [path(one.name), path(other.name)];
    const fork = a.findIndex((name, depth) => name !== b[depth]);
    return fork < 0 || !a[fork] || !b[fork] ? [] : [[a[fork], b[fork], orders.has(k)]];
  });
}

function arrangeLevel(jobs: GraphJob[], children: Map<string | null, GraphJob[]>, edges: Link[], open: Openings, depth: number): Arrangement {
  const own = new Set(jobs.map((job) => job.name));
  const links = edges.filter(([from, to]) => own.has(from) && own.has(to));
  const items = foldSiblings(jobs, links, open.folds);
  const places = new Map(items.flatMap((item, k) => item.jobs.map((job): [string, number] => [job.name, k])));
  const pairs = dedupe(links.map(([from, to]): [number, number] => [places.get(from)!, places.get(to)!]));
  const carrying = new Set(links.flatMap(([from, to, isOrder]) => (isOrder ? [] : [`${places.get(from)} ${places.get(to)}`])));
  const inner = items.map((item) => {
    const job = item.jobs[0];
    const below = item.jobs.length === 1 && open.frames.has(job.name) ? children.get(job.name) : undefined;
    return below && arrangeLevel(below, children, edges, open, depth + 1);
  });
  const sizes = inner.map((one) => (one ? { width: Math.max(NODE.width, one.width + 2 * PADDING), height: one.height + HEAD + PADDING } : NODE));
  const boxes = layOut(sizes, pairs);
  const nodes: GraphNode[] = [];
  const starts = items.map((item, k) => {
    const start = nodes.length;
    const job = item.jobs[0];
    const kind = inner[k] ? "frame" : item.jobs.length > 1 ? "fold" : "job";
    nodes.push({ id: item.id, kind, label: kind === "fold" ? findStem(item.jobs) : nameJob(job), jobs: item.jobs.map((one) => one.name), type: job.type, box: boxes[k], depth });
    for (const node of inner[k]?.nodes ?? []) nodes.push({ ...node, box: moveBox(node.box, boxes[k], sizes[k].width - inner[k]!.width) });
    return start;
  });
  const implied = findImplied(items.length, pairs, boxes);
  const ownEdges = pairs.map(([from, to], k): GraphEdge => [starts[from], starts[to], implied[k], !carrying.has(`${from} ${to}`)]);
  const innerEdges = inner.flatMap((one, k) => one?.edges.map(([from, to, ...kind]): GraphEdge => [from + starts[k] + 1, to + starts[k] + 1, ...kind]) ?? []);
  return {
    nodes,
    edges: [...ownEdges, ...innerEdges],
    width: Math.max(0, ...boxes.map((box) => box.x + box.width)),
    height: Math.max(0, ...boxes.map((box) => box.y + box.height)),
  };
}

/** Tell for each edge whether another path leads from its beginning to its end. */
function findImplied(count: number, pairs: [number, number][], boxes: Box[]): boolean[] {
  const outs: number[][] = Array.from({ length: count }, () => []);
  for (const [from, to] of pairs) outs[from].push(to);
  const implied = outs.map((targets, from) => findBehind(from, targets, outs, boxes));
  return pairs.map(([from, to]) => implied[from].has(to));
}

/** The nodes behind any of `targets`, down to the layer of the lowest of them. */
function findBehind(from: number, targets: number[], outs: number[][], boxes: Box[]): Set<number> {
  const found = new Set<number>();
  if (targets.length < 2) return found;
  const lowest = targets.reduce((most, node) => Math.max(most, boxes[node].layer), 0);
  const stack = targets.filter((node) => boxes[node].layer < lowest && node !== from);
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    for (const next of outs[node]) {
      if (found.has(next) || boxes[next].layer > lowest) continue;
      found.add(next);
      stack.push(next);
    }
  }
  return found;
}

function moveBox(box: Box, frame: Box, slack: number): Box {
  return { ...box, x: box.x + frame.x + slack / 2, y: box.y + frame.y + HEAD };
}

export const nameJob = (job: GraphJob): string => job.node ?? job.display_name ?? job.name;

/** Put siblings of one type with the same neighbours and the same name but for its number together, if they are many. */
function foldSiblings(jobs: GraphJob[], links: Link[], opened: ReadonlySet<string>): Item[] {
  const ins = new Map<string, string[]>();
  const outs = new Map<string, string[]>();
  for (const [from, to] of links) {
    outs.set(from, [...(outs.get(from) ?? []), to]);
    ins.set(to, [...(ins.get(to) ?? []), from]);
  }
  const groups = new Map<string, GraphJob[]>();
  for (const job of jobs) {
    const near = [ins, outs].map((side) => (side.get(job.name) ?? []).sort().join(" "));
    const key = [job.type, stripNumber(nameJob(job)), ...near].join("|");
    const group = groups.get(key);
    if (group) group.push(job);
    else groups.set(key, [job]);
  }
  return [...groups.values()].flatMap((group): Item[] => {
    const id = `fold:${group[0].name}`;
    if (group.length < FEWEST_FOLDED || opened.has(id)) return group.map((job) => ({ id: job.name, jobs: [job] }));
    return [{ id, jobs: group }];
  });
}

const stripNumber = (name: string): string => name.replace(/\d+/g, "#");

function findStem(jobs: GraphJob[]): string {
  const stem = stripNumber(nameJob(jobs[0])).replace(/[_\-. ]*#.*$/, "");
  return stem || nameJob(jobs[0]);
}

function dedupe(pairs: [number, number][]): [number, number][] {
  const seen = new Set<string>();
  return pairs.filter(([from, to]) => from !== to && !seen.has(`${from} ${to}`) && seen.add(`${from} ${to}`));
}

const WEIGHTS: State[] = ["Failed", "NotResponding", "Running", "Finalizing", "Starting", "Provisioning", "Preparing", "CancelRequested", "Queued", "Paused", "NotStarted", "Canceled", "Completed"];

/** The state that stands for several: the one that most wants to be seen. */
export function combineStates(states: State[]): State {
  return WEIGHTS.find((state) => states.includes(state)) ?? "NotStarted";
}

/** The jobs above a job, from the top, which must be open to show it. */
export function listAncestors(graph: JobGraph, name: string): string[] {
  const parents = new Map(graph.jobs.map((job) => [job.name, job.parent]));
  const found: string[] = [];
  for (let above = parents.get(name); above; above = parents.get(above)) found.unshift(above);
  return found;
}

/** The step that failed by itself, the first of several. */
export function findFailed(graph: JobGraph): GraphJob | undefined {
  return listSteps(graph).filter((job) => job.status === "Failed").sort((a, b) => (a.end ?? 0) - (b.end ?? 0))[0];
}

/** The step that a person looks for first: the one that failed by itself, or one that runs. */
export function findFocus(graph: JobGraph): GraphJob | undefined {
  return findFailed(graph) ?? listSteps(graph).find((job) => job.status === "Running" || job.status === "Preparing");
}

const listSteps = (graph: JobGraph): GraphJob[] => graph.jobs.filter((job) => !job.composite);
