import { expect, test } from "vitest";
import type { GraphJob, JobGraph } from "../api/types";
import { combineMarks, countMarks, describeMark, markGraph } from "./union";

const graphJob = (name: string, label: string, more: Partial<GraphJob> = {}): GraphJob => ({
  name, node: label.split("/").at(-1) || null, parent: null, type: "command", status: "Completed", start: 0, end: 1, error: null, display_name: null, composite: false, created: 0, attempts: 1, label, ...more,
});
const buildGraph = (jobs: GraphJob[], edges: [number, number][] = []): JobGraph => ({ after: 0, jobs, edges });

const first = buildGraph(
  [
    graphJob("a", "", { type: "pipeline", composite: true }), graphJob("a1", "prepare", { parent: "a" }), graphJob("a2", "inner", { parent: "a", type: "pipeline", composite: true }),
    graphJob("a3", "inner/train", { parent: "a2" }), graphJob("a4", "report", { parent: "a" }),
  ],
  [[1, 2], [2, 4]],
);
const second = buildGraph(
  [
    graphJob("b", "", { type: "pipeline", composite: true }), graphJob("b1", "prepare", { parent: "b", reused: "a1" }), graphJob("b2", "inner", { parent: "b", type: "pipeline", composite: true }),
    graphJob("b3", "inner/train", { parent: "b2", end: 9 }), graphJob("b5", "score", { parent: "b" }),
  ],
  [[1, 2], [2, 4]],
);

test("steps are marked by their paths: added, removed, changed, the same, and what has a change inside", () => {
  const facts = { "inner/train": { job: "a3", code: "1", parameters: { rate: "1" } }, prepare: { job: "a1", code: "0" } };
  const { graph, marks } = markGraph(first, second, facts, { ...facts, "inner/train": { job: "b3", code: "2", parameters: { rate: "2" } } });
  expect(graph.jobs.map(({ name, parent }) => [name, parent])).toEqual([["b", null], ["b1", "b"], ["b2", "b"], ["b3", "b2"], ["b5", "b"], ["a4", "b"]]);
  expect(graph.edges).toEqual([[1, 2], [2, 4], [2, 5]]);
  expect(graph.jobs.map(({ name }) => marks.get(name)!.look)).toEqual(["inside", "same", "inside", "changed", "added", "removed"]);
  expect(marks.get("b3")!.differences.map(({ kind, name, base, other }) => [kind, name, base, other])).toEqual([
    ["code", "code", "1", "2"], ["parameter", "rate", "1", "2"], ["duration", "duration", "1.0 s", "9.0 s"],
  ]);
  expect(describeMark(marks.get("b3")!)).toBe("code, parameter, duration");
  expect(countMarks([...marks.values()])).toEqual({ added: 1, removed: 1, changed: 1, inside: 2, same: 1 });
  expect(combineMarks([marks.get("b1")!, marks.get("b3")!])).toEqual({ look: "changed", text: "1 changed" });
});

test("a state that differs is a difference; a little time, or a reused step, is none", () => {
  const one = buildGraph([graphJob("a", "", { end: 10 })]);
  const look = (more: Partial<GraphJob>) => markGraph(one, buildGraph([graphJob("b", "", more)]), {}, {}).marks.get("b")!.differences.map(({ kind }) => kind);
  expect([look({ end: 11 }), look({ end: 14 }), look({ end: 1, reused: "a" }), look({ end: 2, status: "Failed" })]).toEqual([[], ["duration"], [], ["state"]]);
});

test("trials of two sweeps are not compared with each other", () => {
  const build = (name: string) => buildGraph([graphJob(name, "", { type: "sweep", composite: true }), graphJob(`${name}_1`, "trial_1", { parent: name, type: "pipeline" }), graphJob(`${name}_2`, "trial_1/x", { parent: `${name}_1` })]);
  const { graph, marks } = markGraph(build("a"), build("b"), {}, {});
  expect([graph.jobs.length, [...marks.keys()]]).toEqual([3, ["b"]]);
});
