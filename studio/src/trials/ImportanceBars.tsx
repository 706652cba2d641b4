import { useEffect, useMemo, useState } from "react";
import { LEAST_TRIALS, measureImportance, type Importance } from "./importance";
import type { Trial } from "./model";

const MOST_AT_ONCE = 300;

/** The shares of the metric that the parameters explain; many trials are measured by a worker beside the page. */
export function ImportanceBars({ trials, metric }: { trials: Trial[]; metric: string }) {
  const completed = useMemo(() => trials.filter(({ row, value }) => row.status === "Completed" && Number.isFinite(value)), [trials]);
  const isSmall = completed.length <= MOST_AT_ONCE;
  const small = useMemo(() => (isSmall ? measureImportance(completed) : null), [completed, isSmall]);
  const [large, setLarge] = useState<Importance[] | null>(null);
  useEffect(() => {
    if (isSmall) return;
    const worker = new Worker(new URL("./importance.worker.ts", import.meta.url), { type: "module" });
    worker.onmessage = ({ data }: MessageEvent<Importance[]>) => setLarge(data);
    worker.postMessage(completed);
    return () => worker.terminate();
  }, [completed, isSmall]);
  const found = small ?? large ?? [];
  return (
    <section className="card chart">
      <header className="chart-head"><h3>Importance of the parameters</h3></header>
      {completed.length < LEAST_TRIALS ? (
        <p className="muted">Fewer than {LEAST_TRIALS} completed trials tell nothing about it.</p>
      ) : (
        <>
          <ul className="importance">
            {found.map(({ name, share, chance }) => (
              <li key={name}>
                <span className="name" title={name}>{name}</span>
                <span className="bar" aria-hidden="true"><span style={{ width: `${share * 100}%` }} data-weak={share <= chance || undefined} /><i style={{ left: `${chance * 100}%` }} /></span>
                <span className="number">{(share * 100).toFixed(0)} %{share <= chance && <span className="muted"> no more than chance</span>}</span>
              </li>
            ))}
          </ul>
          <details className="muted">
            <summary>The share of {metric} that each explains by itself</summary>
            <p>It is ε² of an analysis of variance on ranks, trials grouped by the parameter's values. Beyond the mark only 1 of 20 parameters without influence gets. What two do only together does not show.</p>
          </details>
        </>
      )}
    </section>
  );
}
