import type { GraphJob } from "../api/types";
import { isOver } from "../text/states";

const COUNTED = new Set(["parallel", "sweep", "automl"]);

/** True for a step whose mini-batches or trials are counted. */
export const isCounted = (job: GraphJob): boolean => COUNTED.has(job.type);

/** True while a step runs that is counted. */
export function followsProgress(jobs: GraphJob[]): boolean {
  return jobs.some((job) => isCounted(job) && !isOver(job.status) && job.status !== "NotStarted" && job.status !== "Queued");
}
