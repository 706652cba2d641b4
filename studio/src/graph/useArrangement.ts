import { useEffect, useMemo, useState } from "react";
import type { JobGraph } from "../api/types";
import { arrange, type Arrangement, type Openings } from "./model";

const MOST_AT_ONCE = 400;

let spare: Worker | null = null;
const createWorker = () => new Worker(new URL("./arrange.worker.ts", import.meta.url), { type: "module" });

/** Start the worker for a graph that may be large before the graph is here; returns what ends it if it was not needed. */
export function prepareArrangement(): () => void {
  spare ??= createWorker();
  return () => {
    spare?.terminate();
    spare = null;
  };
}

/** The arrangement of a graph: made at once if it is small, else by a worker beside the page. */
export function useArrangement(graph: JobGraph, form: number, open: Openings): Arrangement | null {
  const isSmall = graph.jobs.length <= MOST_AT_ONCE;
  // The form counts the changes that move nodes; states change without it.
  const small = useMemo(() => (isSmall ? arrange(graph, open) : null), [form, open, isSmall]);
  const [large, setLarge] = useState<Arrangement | null>(null);
  useEffect(() => {
    if (isSmall) return;
    const worker = spare ?? createWorker();
    spare = null;
    worker.onmessage = ({ data }: MessageEvent<Arrangement>) => setLarge(data);
    worker.postMessage({ graph, open });
    return () => worker.terminate();
  }, [form, open, isSmall]);
  return small ?? large;
}
