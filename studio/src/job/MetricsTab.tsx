import { useEffect } from "react";
import type { GraphJob } from "../api/types";
import { useQuery } from "../api/useQuery";
import { prefetch, takePrefetched } from "../api/prefetch";
import type { WorkspaceApi } from "../api/workspace";
import { preloadCurves } from "../curves/ChartCard";
import { MetricCharts } from "../curves/MetricCharts";
import { choosePointsOfPage } from "../curves/points";
import { useApi } from "../shell/context";
import { ErrorMessage, Loading } from "../shell/messages";
import { isOver } from "../text/states";

const POLL = 3000;

const nameLoad = (api: WorkspaceApi, job: GraphJob) => `${api.own} ${job.name} ${isOver(job.status)} metrics`;
const load = (api: WorkspaceApi, job: GraphJob) => api.getMetrics(job.name, { points: choosePointsOfPage() });

/** Ask for the metrics of a job that are likely to be wanted next, as the pointer is over their tab. */
export function prepareMetrics(api: WorkspaceApi, job: GraphJob): void {
  preloadCurves();
  prefetch(nameLoad(api, job), () => load(api, job));
}

/** The metrics of a step and of the runs below it; while it runs, as they come. */
export function MetricsTab({ job }: { job: GraphJob }) {
  const api = useApi();
  const found = useQuery(nameLoad(api, job), () => takePrefetched(nameLoad(api, job), () => load(api, job)));
  const isRunning = !isOver(job.status);
  useEffect(preloadCurves, []);
  useEffect(() => {
    if (!isRunning) return;
    const timer = setInterval(() => document.visibilityState === "visible" && found.reload(), POLL);
    return () => clearInterval(timer);
  }, [isRunning, found.reload]);
  if (found.error) return <ErrorMessage error={found.error} retry={found.reload} />;
  if (!found.data) return <Loading what="the metrics" />;
  return <MetricCharts job={job.name} runs={found.data.runs} />;
}
