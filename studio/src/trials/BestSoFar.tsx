import { lazy, Suspense, useMemo } from "react";
import { listBestSoFar, type Trial } from "./model";

const BestCurve = lazy(() => import("./BestCurve"));

/** The values of the trials in the order in which they ended, and the best so far. */
export function BestSoFar({ trials, goal, metric }: { trials: Trial[]; goal: "maximize" | "minimize"; metric: string }) {
  const points = useMemo(() => listBestSoFar(trials, goal), [trials, goal]);
  if (points.length < 2) return null;
  return (
    <section className="card chart">
      <header className="chart-head"><h3>Best so far</h3></header>
      <Suspense fallback={<div className="curve" />}><BestCurve points={points} metric={metric} /></Suspense>
    </section>
  );
}
