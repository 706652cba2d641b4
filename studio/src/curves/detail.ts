import type { MetricRun } from "../api/types";
import type { MetricQuery, WorkspaceApi } from "../api/workspace";
import { choosePointsOfPage } from "./points";
import { nameSource, readSeries, type Range, type Series } from "./series";

export type Axis = "step" | "time";
/** Series by `nameSource`. */
export type Answers = Map<string, Series>;

/** What is asked of the server: the smoothing of all values, and the part of them between two places of a chart. */
export interface Wanted {
  over: Axis;
  smoothing: number;
  range: Range | null;
  /** The step or the time of each series, in the order of the series, at which the axis is zero. */
  origins: number[];
}

/** A chart's series as the server has them, thinned again. */
export async function loadDetail(api: WorkspaceApi, series: Series[], wanted: Wanted): Promise<Answers> {
  const jobs = [...new Set(series.map(({ source }) => source.job))];
  const answers = await Promise.all(jobs.map((job) => api.getMetrics(job, { points: choosePointsOfPage(), ...buildQuery(series, job, wanted) })));
  return new Map(jobs.flatMap((job, k) => answers[k].runs.flatMap((run) => readRun(series, job, run))));
}

export function buildQuery(series: Series[], job: string, { over, smoothing, range, origins }: Wanted): Omit<MetricQuery, "points"> {
  const own = series.flatMap(({ source }, k) => (source.job === job ? [origins[k]] : []));
  const part = range ? { over, from: range[0] + Math.min(...own), to: range[1] + Math.max(...own) } : {};
  return { metric: series[0].source.metric, smoothing: smoothing || undefined, ...part };
}

function readRun(series: Series[], job: string, run: MetricRun): [string, Series][] {
  const known = series.find(({ source }) => source.job === job && source.run === run.id);
  const metric = run.metrics.find(({ name }) => name === known?.source.metric);
  return known && metric ? [[nameSource(known.source), readSeries(job, run, metric, known.label)]] : [];
}
