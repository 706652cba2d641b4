import { expect, test } from "vitest";
import type { GraphJob, JobGraph, State, Timeline } from "../api/types";
import { buildGantt, chooseTicks, findCriticalPath, sumLooks } from "./gantt";

function job(name: string, parent: string | null, start: number | null, end: number | null, composite = false): GraphJob {
  return {
    name, node: name, parent, type: "command", status: end === null ? "Running" : "Completed", start, end, error: null,
    display_name: null, composite, created: 0, attempts: 1, label: parent ? name : "",
  };
}

const GRAPH: JobGraph = {
  after: 0,
  jobs: [job("p", null, 0, 20, true), job("a", "p", 0, 5), job("slow", "p", 5, 18), job("quick", "p", 5, 6), job("z", "p", 18, 20)],
  edges: [[1, 2], [1, 3], [2, 4], [3, 4]],
};
const states = (...pairs: [State, number][]) => pairs;

test("the critical path goes back along what ended last", () => {
  expect([...findCriticalPath(GRAPH)]).toEqual(["z", "slow", "a"]);
  const nested: JobGraph = { after: 0, jobs: [job("p", null, 0, 9, true), job("in", "p", 0, 9, true), job("x", "in", 0, 4), job("y", "in", 4, 9)], edges: [[2, 3]] };
  expect([...findCriticalPath(nested)]).toEqual(["in", "y", "x"]);
});

test("the critical path of a sweep goes back along the trials that had the same place", () => {
  // Two places: 1, 3, 5 and 2, 4. The end of 3 was noted late.
  const times: [number, number | null][] = [[0, 4], [0, 7], [4, 8.1], [7, 9], [8, 12]];
  const trials = times.map(([start, end], k) => job(`trial_${k + 1}`, "s", start, end));
  const graph: JobGraph = { after: 0, jobs: [{ ...job("s", null, 0, 12, true), type: "sweep" }, ...trials], edges: [] };
  expect([...findCriticalPath(graph)]).toEqual(["trial_5", "trial_3", "trial_1"]);
  // A trial that stores its outputs has left its place: 5 began in that of 3, not in the one that 4 left a little before.
  const storing: JobGraph = { ...graph, jobs: [...graph.jobs.slice(0, 3), job("trial_3", "s", 4, 11), job("trial_4", "s", 7, 7.9), graph.jobs[5]] };
  const states: Timeline = { jobs: [{ name: "trial_3", label: "trial_3", states: [["Running", 4], ["Finalizing", 8], ["Completed", 11]] }] };
  expect([...findCriticalPath(storing, states)]).toEqual(["trial_5", "trial_3", "trial_1"]);
  expect([...findCriticalPath({ ...graph, edges: [[2, 5]] })]).toEqual(["trial_5", "trial_3", "trial_1"]); // 2 had ended before
});

test("time goes to the states in which it went, and on until now", () => {
  const gantt = buildGantt(GRAPH, { jobs: [
    { name: "a", label: "a", states: states(["NotStarted", 0], ["Queued", 1], ["Preparing", 2], ["Running", 3], ["Finalizing", 4.5], ["Completed", 5]) },
    { name: "slow", label: "slow", states: states(["NotStarted", 0], ["Running", 5]) },
  ] }, 9);
  expect(gantt.rows[0].stretches.map(({ look, from, to }) => [look, from, to])).toEqual([["waiting", 0, 2], ["preparing", 2, 3], ["running", 3, 4.5], ["storing", 4.5, 5]]);
  expect(gantt.rows[1].stretches.at(-1)).toMatchObject({ look: "running", from: 5, to: 9 });
  expect([gantt.from, gantt.to]).toEqual([0, 9]);
  expect(sumLooks(gantt.rows)[0]).toEqual(["waiting", 7]);
  expect(gantt.rows.map(({ seconds }) => seconds)).toEqual([5, 13]); // as tables and summaries say it: from start to end
});

test("an axis has round marks", () => {
  expect(chooseTicks(12)).toEqual([0, 2, 4, 6, 8, 10, 12]);
  expect(chooseTicks(0.3)).toEqual([0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3]);
  expect(chooseTicks(7000).at(-1)).toBe(5400);
});

test("nothing that ran is an empty chart", () => {
  expect(buildGantt({ after: 0, jobs: [], edges: [] }, { jobs: [] }, 5)).toEqual({ rows: [], from: 0, to: 1 });
});
