import { expect, test } from "vitest";
import type { TrialRow } from "../api/types";
import { buildMetricAxis, buildParameterAxes, filterByBrushes } from "./axes";
import { groupValues, measureImportance, rankValues } from "./importance";
import { buildTrials, flattenPoint, listBestSoFar, listParameters, sortTrials } from "./model";

const row = (number: number, parameters: Record<string, unknown>, value: TrialRow["value"], more: Partial<TrialRow> = {}): TrialRow => ({
  name: `s_${number}`, node: `trial_${number}`, parent: "s", type: "command", status: "Completed", start: number, end: number + 1, error: null, parameters, value, ...more,
});
const find = (sort: string, rows: TrialRow[]) => sortTrials(buildTrials(rows), sort).map(({ number }) => number);

test("trials are sorted by any column, those without a value last", () => {
  const rows = [row(1, { lr: 0.5, kind: "b" }, 3), row(2, { lr: 0.1, kind: "a" }, "NaN"), row(3, { kind: "c" }, 1, { end: 99 })];
  expect([find("value", rows), find("-value", rows), find("param.lr", rows), find("-param.lr", rows), find("-param.kind", rows), find("-seconds", rows), find("-number", rows)]).toEqual([
    [3, 1, 2], [1, 3, 2], [2, 1, 3], [1, 2, 3], [3, 1, 2], [3, 1, 2], [3, 2, 1],
  ]);
  expect(listParameters(buildTrials(rows))).toEqual(["lr", "kind"]);
  expect(flattenPoint({ a: { b: 1, c: { d: [2] } } })).toEqual({ "a.b": 1, "a.c.d": [2] });
});

test("the best so far follows the order of the ends; failed ones and infinity do not count", () => {
  const rows = [row(1, {}, 3, { end: 9 }), row(2, {}, 5), row(3, {}, 1, { status: "Failed" }), row(4, {}, "-Infinity"), row(5, {}, 4, { end: 20 })];
  expect(listBestSoFar(buildTrials(rows), "minimize").map(({ trial, best }) => [trial.number, best])).toEqual([[2, 5], [1, 3], [5, 3]]);
});

test("axes of categories, of numbers and of orders of magnitude, and what is brushed", () => {
  const trials = buildTrials([row(1, { lr: 0.001, kind: "a", depth: 2 }, 1), row(2, { lr: 0.1, kind: "b", depth: 8 }, 2), row(3, { lr: 1, depth: 4 }, null)]);
  const axes = [...buildParameterAxes(trials, ["lr", "kind", "depth"], { lr: { type: "loguniform" }, depth: { type: "randint" } }), buildMetricAxis(trials, "loss")];
  expect(axes.map(({ kind }) => kind)).toEqual(["logarithmic", "category", "linear", "linear"]);
  expect(axes[0].places.map((place) => place && Number(place.toFixed(3)))).toEqual([0, 0.667, 1]);
  expect([axes[1].places, axes[2].places[2]]).toEqual([[0, 1, null], 1 / 3]);
  expect(filterByBrushes(axes, { lr: [0.5, 1], kind: [0.9, 1.1] }, 3)).toEqual([false, true, false]);
  expect(filterByBrushes(axes, {}, 3)).toEqual([true, true, true]);
  expect(buildParameterAxes(trials.slice(0, 1), ["depth"], { depth: { type: "randint" } })[0].ticks).toEqual([{ place: 0.5, text: "2" }]);
});

test("a parameter that decides the metric has all importance, one without influence no more than chance", () => {
  const trials = buildTrials(Array.from({ length: 64 }, (_, k) => row(k, { strong: k % 2 ? "a" : "b", number: (k * 37) % 64, weak: (k >> 1) % 2 }, k % 2 ? 10 + (k % 7) : (k % 7))));
  const found = measureImportance(trials);
  expect(found[0].name).toBe("strong");
  expect(found[0].share).toBeGreaterThan(0.7);
  expect(found.find(({ name }) => name === "weak")!.share).toBeLessThanOrEqual(found.find(({ name }) => name === "weak")!.chance);
  expect(measureImportance(trials)).toEqual(found);
  expect(measureImportance(trials.slice(0, 9))).toEqual([]);
  expect(rankValues([5, 1, 5, 0])).toEqual([2.5, 1, 2.5, 0]);
  expect(groupValues(["x", undefined, "x"])).toEqual([0, 1, 0]);
  expect(new Set(groupValues(Array.from({ length: 40 }, (_, k) => k / 7))).size).toBe(8);
});
