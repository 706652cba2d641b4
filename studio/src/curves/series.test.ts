import { expect, test } from "vitest";
import { buildQuery } from "./detail";
import { choosePoints } from "./points";
import { alignSeries, buildCharts, describeSeries, findNearest, findNextPlace, findReadable, keepPositive, movePart, moveTo, refine, smooth, type Series } from "./series";

test("one chart for each metric, a series for each run, the machine's last", () => {
  const metric = (name: string) => ({ name, value: 2, step: 1, time: 10, points: [[0, 9, 1], [1, 10, "NaN"]] as [number, number, number | "NaN"][] });
  const charts = buildCharts("j1", [
    { id: "r1", job: "j1", label: "", metrics: [metric("system/cpu"), metric("loss")] },
    { id: "r2", job: null, label: "fold-1", metrics: [metric("loss")] },
  ]);
  expect(charts.map((chart) => [chart.metric, chart.series.map((one) => one.label)])).toEqual([["loss", ["this job", "fold-1"]], ["system/cpu", ["this job"]]]);
  expect(charts[0].series[0]).toMatchObject({ values: [1, NaN], total: 2, source: { job: "j1", run: "r1", metric: "loss" } });
  expect(buildCharts("j1", [{ id: "r1", job: "j1", label: "", metrics: [{ ...metric("loss"), total: 7 }] }])[0].series[0].total).toBe(7);
});

test("smoothing begins at the first value and goes over gaps", () => {
  expect(smooth([4, 0, NaN, 0], 0.5)).toEqual([4, 2, NaN, 1]);
  expect(smooth([1, 2], 0)).toEqual([1, 2]);
});

test("series with different places share an axis", () => {
  expect(alignSeries([{ places: [0, 2], values: [1, 3] }, { places: [1, 2], values: [5, Infinity] }])).toEqual([[0, 1, 2], [1, undefined, 3], [undefined, 5, null]]);
});

const series = (places: number[], job = "a"): Series => ({ source: { job, run: job, metric: "loss" }, label: job, steps: places, times: places.map((place) => 100 + place), values: places.map((place) => 2 * place), total: 1000 });

test("a part has its own points, and the line goes on before and after it", () => {
  const fine = refine(series([0, 10, 20, 30, 40]), series([15, 16, 25]), "step", [12, 28]);
  expect(fine).toMatchObject({ steps: [0, 10, 15, 16, 25, 30, 40], times: [100, 110, 115, 116, 125, 130, 140], values: [0, 20, 30, 32, 50, 60, 80] });
  expect(refine(series([0, 10, 20]), series([11, 12]), "time", [110, 112]).times).toEqual([100, 111, 112, 120]);
});

test("a part of a chart is asked for by the steps or times of each job", () => {
  const both = [series([0, 1], "a"), series([0, 1], "b")];
  expect(buildQuery(both, "b", { over: "time", smoothing: 0, range: [2, 3], origins: [100, 500] })).toMatchObject({ metric: "loss", over: "time", from: 502, to: 503, smoothing: undefined });
  expect(buildQuery(both, "a", { over: "step", smoothing: 0.5, range: null, origins: [0, 0] })).not.toHaveProperty("from");
});

test("two points are asked for each pixel, within bounds", () => {
  expect([0, 300, 701, 9000].map(choosePoints)).toEqual([400, 600, 1600, 4000]);
});

test("a place without a number shows the nearest one", () => {
  expect([0, 2, 4].map((index) => findNearest([undefined, 1, undefined, undefined, null, 2], index))).toEqual([1, 1, 5]);
  expect(findNearest([null, undefined], 1)).toBe(1);
});

test("a logarithmic axis has gaps where values are zero or less", () => {
  expect(alignSeries([{ places: [0, 1, 2, 3], values: keepPositive([1, 0, -2, 3]) }])).toEqual([[0, 1, 2, 3], [1, null, null, 3]]);
});

test("keys show a smaller or a larger part, move it, and show all", () => {
  const press = (part: [number, number] | null, ...keys: string[]) => keys.reduce((before: [number, number] | null, key) => movePart([0, 80], before, key) ?? null, part);
  expect(press(null, "+")).toEqual([20, 60]);
  expect(press(null, "+", "+", "-")).toEqual([20, 60]);
  expect(press([0, 20], "-")).toEqual([0, 40]);
  expect(press([20, 60], "-")).toBeNull();
  expect(press([20, 60], "ArrowRight")).toEqual([30, 70]);
  expect(press([20, 60], "ArrowRight", "ArrowRight", "ArrowRight")).toEqual([40, 80]);
  expect(press([20, 60], "0")).toBeNull();
  expect(movePart([0, 80], [0, 40], "+", 0)).toEqual([0, 20]); // around the value that is read
  expect(movePart([0, 80], [0, 40], "+", 30)).toEqual([15, 35]);
  expect(movePart([0, 80], [15, 35], "-", 30)).toEqual([0, 40]);
  expect(movePart([0, 80], [20, 60], "+", 70)).toEqual([30, 50]);
  expect([movePart([0, 80], null, "ArrowLeft"), movePart([0, 80], [1, 2], "a")]).toEqual([undefined, undefined]);
});

test("a series in words", () => {
  expect(describeSeries({ ...series([0, 1, 2]), values: [4, NaN, 2.5], total: 3 })).toBe("a, 3 values from 4 to 2.5, between 2.5 and 4");
  expect(describeSeries({ ...series([0]), values: [NaN] })).toBe("a, no number");
});

test("the keyboard goes from value to value, and a part goes along", () => {
  const places = [0, 1, 2, 3];
  const columns = [[1, null, undefined, 4], [undefined, null, 3, undefined]];
  const next = (from: number | null, by: 1 | -1, part: [number, number] | null = null) => findNextPlace(places, columns, from, by, part);
  expect([next(null, 1), next(0, 1), next(2, 1), next(3, 1)]).toEqual([0, 2, 3, undefined]);
  expect([next(null, -1), next(3, -1), next(0, -1)]).toEqual([3, 2, undefined]);
  expect([next(null, 1, [1, 3]), next(null, -1, [0, 2])]).toEqual([2, 2]);
  expect(findNextPlace(places, columns.slice(0, 1), 0, 1, null)).toBe(3); // a hidden curve has no values to be read
  const read = (wish: number, part: [number, number] | null = null) => findReadable(places, columns, wish, part);
  expect([read(0), read(1.4), read(9), read(0, [1, 3]), read(3, [0, 2]), read(0, [0.5, 1.5])]).toEqual([0, 2, 3, 2, 2, null]);
  expect([moveTo([0, 2], 3), moveTo([2, 4], 1), moveTo([0, 2], 1)]).toEqual([[1, 3], [1, 3], [0, 2]]);
});
