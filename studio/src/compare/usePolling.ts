import { useEffect } from "react";
import type { State } from "../api/types";
import { isOver } from "../text/states";

const PAUSE = 4000;

/** Load again every few seconds as long as the page is seen and one of the jobs is not over. */
export function usePolling(jobs: { status: State }[], reload: () => void): void {
  const isRunning = jobs.some(({ status }) => !isOver(status));
  useEffect(() => {
    if (!isRunning) return;
    const timer = setInterval(() => document.visibilityState === "visible" && reload(), PAUSE);
    return () => clearInterval(timer);
  }, [isRunning, reload]);
}
