import type { Progress } from "../api/details";
import { formatCount, formatNumber } from "../text/format";
import "./progress.css";

/** How far a step is: a bar, and its words. */
export function ProgressBlock({ progress }: { progress: Progress }) {
  return (
    <section>
      <h3>{progress.of === "trials" ? "Trials" : "Mini-batches"}</h3>
      <ProgressBar progress={progress} />
      <p className="muted number">{listWords(progress).join(", ")}</p>
      {progress.best && <p>Best so far: <strong className="number">{typeof progress.best.value === "number" ? formatNumber(progress.best.value) : progress.best.value}</strong>, of {progress.best.name}</p>}
    </section>
  );
}

export function ProgressBar({ progress: { done, failed, running = 0, total } }: { progress: Progress }) {
  const whole = Math.max(1, total ?? done + failed + running);
  const share = (count: number) => `${(100 * count) / whole}%`;
  return (
    <span className="progress-bar" role="progressbar" aria-label="Progress" aria-valuemin={0} aria-valuemax={whole} aria-valuenow={Math.min(whole, done + failed)}>
      <span className="done" style={{ width: share(done) }} />
      <span className="failed" style={{ width: share(failed) }} />
      <span className="running" style={{ width: share(running) }} />
    </span>
  );
}

/** What is told of a progress, the most important first. */
export function listWords({ done, failed, running, total, retried, taken_over }: Progress): string[] {
  const words = [`${formatCount(done)}${total === null ? "" : ` of ${formatCount(total)}`} done`];
  if (failed) words.push(`${formatCount(failed)} failed`);
  if (running) words.push(`${formatCount(running)} running`);
  if (retried) words.push(`${formatCount(retried)} retried`);
  if (taken_over) words.push(`${formatCount(taken_over)} taken over from an earlier job`);
  return words;
}
