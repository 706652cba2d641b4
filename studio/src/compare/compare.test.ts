import { expect, test } from "vitest";
import type { ComparedJob, JobRow, MetricRun } from "../api/types";
import { buildComparisonQuery, readComparison } from "./address";
import { pairCodes } from "./code";
import { countDifferences, listEnvironment, listSummary } from "./facts";
import { buildComparedCharts, buildMetricRows, formatChange, isLowerBetter } from "./metrics";
import { listEarlier } from "./previous";

const job = (name: string, more: Partial<ComparedJob> = {}): ComparedJob => ({ name, experiment: "e", type: "command", status: "Completed", created_by: "me", ...more });
const run = (label: string, metric: string, points: [number, number, number][]): MetricRun => {
  const values = points.map(([, , value]) => value);
  return { id: `${label}${points[0][2]}`, job: null, label, metrics: [{ name: metric, value: values.at(-1)!, step: 0, time: 0, min: Math.min(...values), max: Math.max(...values), count: values.length, points }] };
};

test("the address names the jobs, the part and the other job; what it cannot mean is left out", () => {
  const read = (text: string) => readComparison(new URLSearchParams(text));
  expect(read("jobs=a,b,a,&with=a&tab=none")).toEqual({ jobs: ["a", "b"], other: "b", tab: "summary", isAll: false, isSplit: false, flipped: [], step: null });
  expect(read("jobs=a,b,c&with=c&tab=graph&all=1&lines=side-by-side&flip=loss&step=train")).toMatchObject({ other: "c", tab: "graph", isAll: true, isSplit: true, flipped: ["loss"], step: "train" });
  expect(buildComparisonQuery(["a", "b", "a"], { tab: "code" })).toBe("jobs=a,b&tab=code");
  expect(read(buildComparisonQuery(["x.1", "y-2"])).jobs).toEqual(["x.1", "y-2"]);
});

test("facts that differ come first; one that nobody knows may differ", () => {
  const jobs = [
    job("a", { parameters: { rate: "0.1", seed: "7" }, inputs: { d: "/x (content not known)" }, environment: { name: "e:1", packages: { numpy: "==1" } } }),
    job("b", { parameters: { seed: "7", rate: "0.2", depth: "3" }, inputs: { d: "/x (content not known)" }, environment: { name: "e:1", packages: { numpy: "==2" } } }),
  ];
  const sections = listSummary(jobs);
  expect(sections.find(({ name }) => name === "Parameters")!.rows.map(({ name, values, differs }) => [name, ...values, differs])).toEqual([
    ["rate", "0.1", "0.2", true], ["depth", undefined, "3", true], ["seed", "7", "7", false],
  ]);
  expect(sections.find(({ name }) => name === "Inputs")!.rows[0].differs).toBe(true);
  expect(countDifferences(sections)).toBe(3);
  expect(countDifferences(listEnvironment(jobs))).toBe(1);
  expect(listEnvironment([job("a", { steps: { "t: environment": "e:1", "t: command": "x" } }), job("b")])).toHaveLength(1);
});

test("a step that one job does not have is one row", () => {
  const jobs = [job("a", { steps: { "t: command": "x", "t: status": "Completed", "old: command": "y", "old: status": "Completed" } }), job("b", { steps: { "t: command": "z", "t: status": "Completed" } })];
  const rows = listSummary(jobs).find(({ name }) => name === "Steps")!.rows;
  expect(rows.map(({ name, values }) => [name, ...values])).toEqual([["old", "a step of it", undefined], ["t: command", "x", "z"], ["t: status", "Completed", "Completed"]]);
});

test("the last and the best values of metrics, and whether less is more", () => {
  const rows = buildMetricRows([[run("", "loss", [[0, 0, 4], [1, 1, 2.5]])], [run("", "loss", [[0, 0, 4], [1, 1, 3]]), run("t", "auc", [[0, 0, 0.5]])]], []);
  expect(rows.map(({ name, differs, bestLast, bestEver }) => [name, differs, bestLast, bestEver])).toEqual([["loss", true, [0], [0]], ["t: auc", true, [], []]]);
  expect(buildMetricRows([[run("", "loss", [[0, 0, 4]])], [run("", "loss", [[0, 0, 5]])]], ["loss"])[0]).toMatchObject({ isLowerBetter: false, bestLast: [1] });
  expect(["val_loss", "rmse", "RMSE", "train: mean_absolute_error", "accuracy", "r2", "auc", "time_per_step", "t: system/memory"].map(isLowerBetter)).toEqual([true, true, true, true, false, false, false, true, true]);
});

test("a change is told as a difference and as a share, with all its digits", () => {
  const changes = ([[2, 2.5], [20, 1], [2, 1], [1.996, 1], [1, 200], [5, 0], [1.015, 1], [1 + 1e-9, 1], [-5, -10], [201, 1]] as const).map(([value, first]) => formatChange(value, first));
  expect(changes).toEqual(["−0.5, −20 %", "+19, +1900 %", "+1, +100 %", "+0.996, +100 %", "−199, −100 %", "+5", "+0.015, +1.5 %", "+1.000e-9", "+5, +50 %", "+200"]);
});

test("no use of the machine is the best, and all of it comes last", () => {
  const rows = buildMetricRows([[run("", "system/cpu", [[0, 0, 4]]), run("", "x", [[0, 0, 1]])], [run("", "system/cpu", [[0, 0, 5]]), run("", "x", [[0, 0, 1]])]], []);
  expect(rows.map(({ name, isSystem, differs, bestLast, bestEver }) => [name, isSystem, differs, bestLast, bestEver])).toEqual([["x", false, false, [], []], ["system/cpu", true, true, [], []]]);
});

test("curves of the same metric of the same step lie over each other", () => {
  const charts = buildComparedCharts([
    { name: "a", title: "a", runs: [run("t", "loss", [[0, 0, 4], [1, 1, 2]]), run("", "single", [[0, 0, 1]])] },
    { name: "b", title: "b", runs: [run("t", "loss", [[0, 9, 5], [1, 10, 3]])] },
  ]);
  expect(charts.map(({ metric, jobs, series }) => [metric, jobs, series.map(({ label }) => label)])).toEqual([["t: loss", [0, 1], ["a", "b"]]]);
  expect(charts[0].series.map(({ source }) => [source.job, source.metric])).toEqual([["a", "loss"], ["b", "loss"]]);
});

test("codes are paired by steps, those of the same pair together", () => {
  const steps = (codes: Record<string, string | undefined>, name: string) => Object.fromEntries(Object.entries(codes).map(([step, code]) => [step, { job: `${name}_${step}`, code }]));
  const found = pairCodes(steps({ a: "1", b: "1", c: "3", d: "4", e: undefined }, "x"), steps({ a: "2", b: "2", c: "3", f: "6" }, "y"));
  expect(found.same).toBe(1);
  expect(found.changes).toEqual([
    { steps: ["a", "b"], base: { job: "x_a", hash: "1" }, other: { job: "y_a", hash: "2" } },
    { steps: ["d"], base: { job: "x_d", hash: "4" }, other: undefined },
    { steps: ["f"], base: undefined, other: { job: "y_f", hash: "6" } },
  ]);
});

test("the previous run is the newest that was there before", () => {
  const row = (name: string, created: number) => ({ name, created }) as JobRow;
  expect(listEarlier([row("oldest", 1), row("later", 9), row("self", 5), row("other", 4)], { name: "self", created: 5 }).map(({ name }) => name)).toEqual(["other", "oldest"]);
});
