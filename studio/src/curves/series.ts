import type { JsonNumber, Metric, MetricRun } from "../api/types";
import { formatNumber, pluralize } from "../text/format";

/** A part of an axis, from one place to another. */
export type Range = [number, number];

/** Where the values of a series are asked for. */
export interface SeriesSource {
  /** The job whose metrics have it: its own, or those of a run below it. */
  job: string;
  run: string;
  metric: string;
}

export const nameSource = ({ job, run }: SeriesSource): string => `${job} ${run}`;

/** The points of one metric of one run that a drawing has. */
export interface Series {
  source: SeriesSource;
  label: string;
  steps: number[];
  times: number[];
  values: number[];
  /** How many values it has; the drawing may have fewer points. */
  total: number;
}

export interface Chart {
  metric: string;
  series: Series[];
}

export function toNumber(value: JsonNumber): number {
  return typeof value === "number" ? value : value === "NaN" ? NaN : value === "Infinity" ? Infinity : -Infinity;
}

export function readSeries(job: string, run: MetricRun, metric: Metric, label: string): Series {
  const points = metric.points ?? [[metric.step, metric.time, metric.value] as const];
  return {
    source: { job, run: run.id, metric: metric.name },
    label,
    steps: points.map(([step]) => step),
    times: points.map(([, time]) => time),
    values: points.map(([, , value]) => toNumber(value)),
    total: metric.total ?? points.length,
  };
}

/** A chart for each metric, with a series for each run of a job that has it; the use of the machine comes last. */
export function buildCharts(job: string, runs: MetricRun[]): Chart[] {
  const charts = new Map<string, Series[]>();
  for (const run of runs) {
    for (const metric of run.metrics) charts.set(metric.name, [...(charts.get(metric.name) ?? []), readSeries(job, run, metric, run.label || "this job")]);
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

/** The series with the points of `part` between two places, and its own before and after them. */
export function refine(series: Series, part: Series, over: "step" | "time", [low, high]: Range): Series {
  const places = over === "step" ? series.steps : series.times;
  const before = places.flatMap((place, k) => (place < low ? [k] : []));
  const after = places.flatMap((place, k) => (place > high ? [k] : []));
  const join = (own: number[], fine: number[]) => [...before.map((k) => own[k]), ...fine, ...after.map((k) => own[k])];
  return { ...series, steps: join(series.steps, part.steps), times: join(series.times, part.times), values: join(series.values, part.values) };
}

/** The values that a logarithmic axis can show; where one is zero or less is a gap. */
export const keepPositive = (values: number[]): number[] => values.map((value) => (value > 0 ? value : NaN));

/** What a series is in words, for those who do not see its curve. */
export function describeSeries({ label, values, total }: Series): string {
  const finite = values.filter(Number.isFinite);
  if (!finite.length) return `${label}, no number`;
  const [least, most] = finite.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);
  return `${label}, ${pluralize(total, "value")} from ${formatNumber(finite[0])} to ${formatNumber(finite.at(-1)!)}, between ${formatNumber(least)} and ${formatNumber(most)}`;
}

/** The part of an axis that a key shows instead of `part`: null for all of it, undefined if the key means nothing. */
export function movePart(all: Range, part: Range | null, key: string, focus: number | null = null): Range | null | undefined {
  const [low, high] = part ?? all;
  const width = high - low;
  const middle = focus !== null && focus >= low && focus <= high ? focus : (low + high) / 2;
  if (key === "0") return null;
  if (key === "+" || key === "=") return [(low + middle) / 2, (high + middle) / 2];
  if (key === "-" || key === "−") return width * 2 >= all[1] - all[0] ? null : keepInside(all, [2 * low - middle, 2 * high - middle]);
  if (part && (key === "ArrowLeft" || key === "ArrowRight")) {
    const by = (key === "ArrowLeft" ? -1 : 1) * (width / 4);
    return keepInside(all, [low + by, high + by]);
  }
  return undefined;
}

function keepInside([first, last]: Range, [low, high]: Range): Range {
  const by = low < first ? first - low : high > last ? last - high : 0;
  return [low + by, high + by];
}

/** The index of the next place at which one of the columns has a number; undefined if there is none in that direction.
 *
 * Without a place to begin at it is the first or the last one of the part that is shown. */
export function findNextPlace(places: number[], columns: Cell[][], from: number | null, by: 1 | -1, part: Range | null): number | undefined {
  const isAhead = (place: number) => (from === null ? !part || (place >= part[0] && place <= part[1]) : by > 0 ? place > from : place < from);
  for (let k = by > 0 ? 0 : places.length - 1; k >= 0 && k < places.length; k += by) {
    if (isAhead(places[k]) && columns.some((column) => typeof column[k] === "number")) return k;
  }
  return undefined;
}

/** The place in a part of the axis nearest to `wish` at which one of the columns has a number; null if there is none. */
export function findReadable(places: number[], columns: Cell[][], wish: number, part: Range | null): number | null {
  let best: number | null = null;
  places.forEach((place, k) => {
    if (part && (place < part[0] || place > part[1])) return;
    if (best !== null && Math.abs(place - wish) >= Math.abs(best - wish)) return;
    if (columns.some((column) => typeof column[k] === "number")) best = place;
  });
  return best;
}

/** The part of an axis, moved so far that it has the place. */
export function moveTo(part: Range, place: number): Range {
  const by = place < part[0] ? place - part[0] : place > part[1] ? place - part[1] : 0;
  return [part[0] + by, part[1] + by];
}

type Cell = number | null | undefined;

/** The series over one axis, as uPlot wants them: all places in order, and for each series its value there.
 *
 * Where it has none it is undefined, which the line passes over; a value that is no finite number is null, a gap in it. */
export function alignSeries(series: { places: number[]; values: number[] }[]): [number[], ...Cell[][]] {
  const axis = [...new Set(series.flatMap((one) => one.places))].sort((a, b) => a - b);
  const index = new Map(axis.map((place, k) => [place, k]));
  const columns = series.map(({ places, values }) => {
    const column = new Array<Cell>(axis.length).fill(undefined);
    places.forEach((place, k) => (column[index.get(place)!] = Number.isFinite(values[k]) ? values[k] : null));
    return column;
  });
  return [axis, ...columns];
}

/** The place nearest to `index` at which a column has a number; `index` itself if it has none at all. */
export function findNearest(column: Cell[], index: number): number {
  for (let off = 0; off < column.length; off++) {
    for (const place of [index - off, index + off]) if (typeof column[place] === "number") return place;
  }
  return index;
}
