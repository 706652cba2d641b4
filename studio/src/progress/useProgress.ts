import { useEffect, useMemo } from "react";
import { getProgress, type Progress } from "../api/details";
import type { JobGraph } from "../api/types";
import { useQuery } from "../api/useQuery";
import { useApi } from "../shell/context";
import { isOver } from "../text/states";
import { followsProgress, isCounted } from "./progress";

const POLL = 1500;
const NONE: Record<string, Progress> = {};

/** How far the parallel steps, sweeps and AutoML jobs of a graph are, by job; asked again while one of them runs. */
export function useProgress(graph: JobGraph): Record<string, Progress> {
  const api = useApi();
  const counted = useMemo(() => graph.jobs.filter(isCounted), [graph]);
  const ended = counted.filter((job) => isOver(job.status)).length;
  const found = useQuery(counted.length ? `${api.own} ${graph.jobs[0].name} progress` : null, () => getProgress(api, graph.jobs[0].name));
  const isRunning = followsProgress(counted);
  useEffect(() => {
    if (found.data) found.reload(); // what a step said last
  }, [ended]);
  useEffect(() => {
    if (!isRunning) return;
    const timer = setInterval(() => document.visibilityState === "visible" && found.reload(), POLL);
    return () => clearInterval(timer);
  }, [isRunning, found.reload]);
  return found.data?.steps ?? NONE;
}
