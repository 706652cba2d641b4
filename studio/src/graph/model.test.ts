import { expect, test } from "vitest";
import type { GraphJob, JobGraph } from "../api/types";
import { arrange, combineStates, findFocus, listAncestors } from "./model";

const NOTHING = { frames: new Set<string>(), folds: new Set<string>() };

function job(name: string, parent: string | null, more: Partial<GraphJob> = {}): GraphJob {
  return {
    name, node: name, parent, type: "command", status: "Completed", start: 0, end: 1, error: null, display_name: null,
    composite: false, created: 0, attempts: 1, label: name, ...more,
  };
}

const nested: JobGraph = {
  after: 0,
  jobs: [
    job("p", null, { composite: true }), job("a", "p"), job("inner", "p", { composite: true, type: "pipeline" }), job("z", "p"),
    job("x", "inner"), job("y", "inner"),
  ],
  edges: [[1, 2], [2, 3], [4, 5]],
};

test("a nested pipeline is one node, and opens in place", () => {
  const closed = arrange(nested, NOTHING);
  expect(closed.nodes.map((node) => [node.label, node.kind])).toEqual([["a", "job"], ["inner", "job"], ["z", "job"]]);
  const open = arrange(nested, { ...NOTHING, frames: new Set(["inner"]) });
  expect(open.nodes.map((node) => node.label)).toEqual(["a", "inner", "x", "y", "z"]);
  const [frame, x, y] = open.nodes.slice(1, 4);
  for (const { box } of [x, y]) {
    expect(box.x).toBeGreaterThan(frame.box.x);
    expect(box.x + box.width).toBeLessThan(frame.box.x + frame.box.width);
    expect(box.y + box.height).toBeLessThan(frame.box.y + frame.box.height);
  }
  expect(open.edges.map(([from, to]) => `${open.nodes[from].label}${open.nodes[to].label}`).sort()).toEqual(["ainner", "innerz", "xy"]);
});

test("the trials of a sweep are one node, whatever they waited for", () => {
  const trials = Array.from({ length: 8 }, (_, k) => job(`trial_${k}`, "tune"));
  const graph: JobGraph = { after: 0, jobs: [job("tune", null, { composite: true, type: "sweep" }), ...trials], edges: [[1, 3], [2, 4], [3, 5]] };
  expect(arrange(graph, NOTHING).nodes.map(({ kind, jobs }) => [kind, jobs.length])).toEqual([["fold", 8]]);
  expect(arrange({ ...graph, jobs: [{ ...graph.jobs[0], type: "pipeline" }, ...trials] }, NOTHING).edges.length).toBeGreaterThan(0);
});

test("alike siblings are folded, and unfolded where asked", () => {
  const trials = Array.from({ length: 480 }, (_, k) => job(`trial_${k}`, "p"));
  const graph: JobGraph = { after: 0, jobs: [job("p", null), job("make", "p"), ...trials, job("pick", "p")], edges: [] };
  trials.forEach((_, k) => graph.edges.push([1, k + 2], [k + 2, 482]));
  const folded = arrange(graph, NOTHING);
  expect(folded.nodes.map((node) => [node.label, node.jobs.length])).toEqual([["make", 1], ["trial", 480], ["pick", 1]]);
  expect(folded.edges).toHaveLength(2);
  expect(arrange(graph, { ...NOTHING, folds: new Set(["fold:trial_0"]) }).nodes).toHaveLength(482);
});

test("siblings that something tells apart stay apart", () => {
  const few = Array.from({ length: 5 }, (_, k) => job(`step_${k}`, "p"));
  expect(arrange({ after: 0, jobs: [job("p", null), ...few], edges: [] }, NOTHING).nodes).toHaveLength(5);
  const chain = Array.from({ length: 8 }, (_, k) => job(`step_${k}`, "p"));
  const edges = chain.slice(1).map((_, k): [number, number] => [k + 1, k + 2]);
  expect(arrange({ after: 0, jobs: [job("p", null), ...chain], edges }, NOTHING).nodes).toHaveLength(8);
});

test("a job without steps is its own graph", () => {
  expect(arrange({ after: 0, jobs: [job("alone", null)], edges: [] }, NOTHING).nodes.map((node) => node.label)).toEqual(["alone"]);
  expect(arrange({ after: 0, jobs: [], edges: [] }, NOTHING).nodes).toEqual([]);
});

test("the first step that failed is looked for, else one that runs", () => {
  const graph: JobGraph = {
    after: 0,
    jobs: [job("p", null, { composite: true, status: "Failed" }), job("b", "p", { status: "Failed", end: 9 }), job("a", "p", { status: "Failed", end: 5 }), job("c", "p", { status: "Canceled" })],
    edges: [],
  };
  expect(findFocus(graph)?.name).toBe("a");
  expect(findFocus({ after: 0, jobs: [job("p", null), job("r", "p", { status: "Running" })], edges: [] })?.name).toBe("r");
  expect(findFocus(nested)).toBeUndefined();
  expect(listAncestors(nested, "x")).toEqual(["p", "inner"]);
});

test("of several states the one to be seen stands for all", () => {
  expect(combineStates(["Completed", "Running", "Failed"])).toBe("Failed");
  expect(combineStates(["Completed", "Queued"])).toBe("Queued");
  expect(combineStates(["Completed", "Completed"])).toBe("Completed");
});

test("an edge is an order where no data goes over any of those that it stands for", () => {
  const graph: JobGraph = {
    after: 0,
    jobs: [job("p", null), job("first", "p"), job("in", "p", { composite: true }), job("x", "in"), job("y", "in"), job("z", "p")],
    edges: [[1, 3], [1, 4], [3, 4], [1, 5]],
    orders: [0, 2, 3],
  };
  const { nodes, edges } = arrange(graph, { ...NOTHING, frames: new Set(["in"]) });
  expect(edges.map(([from, to, , isOrder]) => [nodes[from].label, nodes[to].label, isOrder])).toEqual([["first", "in", false], ["first", "z", true], ["x", "y", true]]);
  expect(arrange({ ...graph, orders: undefined }, NOTHING).edges.some(([, , , isOrder]) => isOrder)).toBe(false);
});

test("an edge is implied where others lead the same way", () => {
  const graph: JobGraph = { after: 0, jobs: [job("p", null), job("a", "p"), job("b", "p"), job("c", "p"), job("d", "p")], edges: [[1, 2], [2, 3], [1, 3], [1, 4], [4, 3]] };
  const { nodes, edges } = arrange(graph, NOTHING);
  expect(edges.filter(([, , isImplied]) => isImplied).map(([from, to]) => nodes[from].label + nodes[to].label)).toEqual(["ac"]);
});
