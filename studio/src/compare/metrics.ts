import type { MetricRun } from "../api/types";
import { readSeries, toNumber, type Chart, type Series } from "../curves/series";
import { formatNumber } from "../text/format";

/** A metric of one of several jobs. */
export interface JobMetric {
  last: number;
  lowest: number;
  highest: number;
  count: number;
}

export interface MetricRow {
  /** The metric, after the path of its step if it is one of a pipeline. */
  name: string;
  /** True for the use of the machine, of which no value is the best. */
  isSystem: boolean;
  isLowerBetter: boolean;
  values: (JobMetric | undefined)[];
  differs: boolean;
  /** The places of the jobs with the best last and the best value of all; none if all have the same. */
  bestLast: number[];
  bestEver: number[];
}

const LOWER = /^ ?system\/|loss|error|(^|[^a-z])(r?mse|r?msle|mae|mape|mad|nll|wer|cer|fid|fpr|fnr)($|[^a-z])|perplexity|latency|duration|seconds|time|regret|deviance|distance/i;

/** Guess from its name whether a metric is better when it is lower. */
export const isLowerBetter = (name: string): boolean => LOWER.test(name.slice(name.lastIndexOf(": ") + 1));

const isSystem = (name: string): boolean => /(^|: )system\//.test(name);
const nameMetric = (run: MetricRun, metric: string): string => (run.label ? `${run.label}: ${metric}` : metric);

/** A row for each metric that one of the jobs logged: those that differ first, the use of the machine last. */
export function buildMetricRows(jobs: MetricRun[][], flipped: readonly string[]): MetricRow[] {
  const found = jobs.map((runs) => new Map(runs.flatMap((run) => run.metrics.map((metric): [string, JobMetric] => {
    const last = toNumber(metric.value);
    const [lowest, highest] = [metric.min, metric.max].map((value) => (value === undefined ? last : toNumber(value)));
    return [nameMetric(run, metric.name), { last, lowest, highest, count: metric.count ?? 1 }];
  }))));
  const names = [...new Set(found.flatMap((of) => [...of.keys()]))];
  const rows = names.map((name): MetricRow => {
    const isLower = isLowerBetter(name) !== flipped.includes(name);
    const values = found.map((of) => of.get(name));
    const differs = values.some((value) => value?.last !== values[0]?.last && !(Number.isNaN(value?.last) && Number.isNaN(values[0]?.last)));
    const isOfMachine = isSystem(name);
    return {
      name, isSystem: isOfMachine, isLowerBetter: isLower, values, differs,
      bestLast: isOfMachine ? [] : findBest(values.map((value) => value?.last), isLower),
      bestEver: isOfMachine ? [] : findBest(values.map((value) => value && getBest(value, isLower)), isLower),
    };
  });
  const rank = (row: MetricRow) => (row.isSystem ? 2 : 0) + (row.differs ? 0 : 1);
  return rows.sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name));
}

export const getBest = (metric: JobMetric, isLower: boolean): number => (isLower ? metric.lowest : metric.highest);

/** How far a value is from the first job's, as a difference and as a share of it: "−0.5, −20 %". */
export function formatChange(value: number, first: number): string {
  const change = value - first;
  const sign = change > 0 ? "+" : "−";
  const percent = Math.abs(change / first) * 100;
  const isTelling = percent >= 0.01 && percent < 1e4;
  return `${sign}${formatNumber(Math.abs(change))}${isTelling ? `, ${sign}${formatPercent(percent)} %` : ""}`;
}

const formatPercent = (percent: number): string => String(percent >= 10 ? Math.round(percent) : Number(percent.toPrecision(2)));

function findBest(values: (number | undefined)[], isLower: boolean): number[] {
  const finite = values.filter((value): value is number => value !== undefined && Number.isFinite(value));
  if (finite.length < 2) return [];
  const best = isLower ? Math.min(...finite) : Math.max(...finite);
  const places = values.flatMap((value, k) => (value === best ? [k] : []));
  return places.length === finite.length ? [] : places;
}

/** Curves of the same metric of the same step laid over each other, each with the place of its job. */
export function buildComparedCharts(jobs: { name: string; title: string; runs: MetricRun[] }[]): (Chart & { jobs: number[] })[] {
  const charts = new Map<string, { series: Series[]; jobs: number[] }>();
  jobs.forEach(({ name: job, title, runs }, place) => {
    for (const run of runs) {
      for (const metric of run.metrics) {
        const name = nameMetric(run, metric.name);
        const chart = charts.get(name) ?? { series: [], jobs: [] };
        chart.series.push(readSeries(job, run, metric, title));
        chart.jobs.push(place);
        charts.set(name, chart);
      }
    }
  });
  return [...charts]
    .filter(([, { series }]) => series.some((one) => one.values.length > 1))
    .map(([metric, chart]) => ({ metric, ...chart }))
    .sort((a, b) => Number(isSystem(a.metric)) - Number(isSystem(b.metric)) || a.metric.localeCompare(b.metric));
}
