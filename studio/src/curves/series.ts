import type { JsonNumber, MetricRun } from "../api/types";

/** The points of one metric of one run. */
export interface Series {
  run: string;
  label: string;
  steps: number[];
  times: number[];
  values: number[];
}

export interface Chart {
  metric: string;
  series: Series[];
}

export function toNumber(value: JsonNumber): number {
  return typeof value === "number" ? value : value === "NaN" ? NaN : value === "Infinity" ? Infinity : -Infinity;
}

/** A chart for each metric, with a series for each run that has it; the use of the machine comes last. */
export function buildCharts(runs: MetricRun[]): Chart[] {
  const charts = new Map<string, Series[]>();
  for (const run of runs) {
    for (const metric of run.metrics) {
      const points = metric.points ?? [[metric.step, metric.time, metric.value] as const];
      const series = {
        run: run.job ?? run.id,
        label: run.label || "this job",
        steps: points.map(([step]) => step),
        times: points.map(([, time]) => time),
        values: points.map(([, , value]) => toNumber(value)),
      };
      charts.set(metric.name, [...(charts.get(metric.name) ?? []), series]);
    }
  }
  const isSystem = (chart: Chart) => Number(chart.metric.startsWith("system/"));
  return [...charts].map(([metric, series]) => ({ metric, series })).sort((a, b) => isSystem(a) - isSystem(b) || a.metric.localeCompare(b.metric));
}

/** Exponential smoothing that begins at the first value; `weight` from 0 (none) to 1. Gaps stay gaps. */
export function smooth(values: number[], weight: number): number[] {
  if (weight <= 0) return values;
  let last = NaN;
  return values.map((value) => {
    if (!Number.isFinite(value)) return value;
    last = Number.isNaN(last) ? value : weight * last + (1 - weight) * value;
    return last;
  });
}

/** The series over one axis, as uPlot wants them: all places in order, and for each series its value there or null. */
export function alignSeries(series: { places: number[]; values: number[] }[]): [number[], ...(number | null)[][]] {
  const axis = [...new Set(series.flatMap((one) => one.places))].sort((a, b) => a - b);
  const index = new Map(axis.map((place, k) => [place, k]));
  const columns = series.map(({ places, values }) => {
    const column = new Array<number | null>(axis.length).fill(null);
    places.forEach((place, k) => (column[index.get(place)!] = Number.isFinite(values[k]) ? values[k] : null));
    return column;
  });
  return [axis, ...columns];
}
