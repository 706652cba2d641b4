import { expect, test } from "vitest";
import { alignSeries, buildCharts, smooth } from "./series";

test("one chart for each metric, a series for each run, the machine's last", () => {
  const metric = (name: string) => ({ name, value: 2, step: 1, time: 10, points: [[0, 9, 1], [1, 10, "NaN"]] as [number, number, number | "NaN"][] });
  const charts = buildCharts([
    { id: "r1", job: "j1", label: "", metrics: [metric("system/cpu"), metric("loss")] },
    { id: "r2", job: null, label: "fold-1", metrics: [metric("loss")] },
  ]);
  expect(charts.map((chart) => [chart.metric, chart.series.map((one) => one.label)])).toEqual([["loss", ["this job", "fold-1"]], ["system/cpu", ["this job"]]]);
  expect(charts[0].series[0].values).toEqual([1, NaN]);
});

test("smoothing begins at the first value and goes over gaps", () => {
  expect(smooth([4, 0, NaN, 0], 0.5)).toEqual([4, 2, NaN, 1]);
  expect(smooth([1, 2], 0)).toEqual([1, 2]);
});

test("series with different places share an axis", () => {
  expect(alignSeries([{ places: [0, 2], values: [1, 3] }, { places: [1, 2], values: [5, Infinity] }])).toEqual([[0, 1, 2], [1, null, 3], [null, 5, null]]);
});
