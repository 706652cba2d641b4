import { useEffect } from "react";
import type { GraphJob } from "../api/types";
import { useQuery } from "../api/useQuery";
import { MetricCharts } from "../curves/MetricCharts";
import { useApi } from "../shell/context";
import { ErrorMessage, Loading } from "../shell/messages";
import { isOver } from "../text/states";

const POLL = 3000;

/** The metrics of a step and of the runs below it; while it runs, as they come. */
export function MetricsTab({ job }: { job: GraphJob }) {
  const api = useApi();
  const found = useQuery(`${api.own} ${job.name} ${isOver(job.status)} metrics`, () => api.getMetrics(job.name));
  const isRunning = !isOver(job.status);
  useEffect(() => {
    if (!isRunning) return;
    const timer = setInterval(() => document.visibilityState === "visible" && found.reload(), POLL);
    return () => clearInterval(timer);
  }, [isRunning, found.reload]);
  if (found.error) return <ErrorMessage error={found.error} retry={found.reload} />;
  if (!found.data) return <Loading what="the metrics" />;
  return <MetricCharts runs={found.data.runs} />;
}
