import type { StepCount } from "../api/types";

export function StepProgress({ steps }: { steps: StepCount }) {
  const share = steps.total ? (100 * steps.over) / steps.total : 0;
  return (
    <span className={steps.failed ? "progress failed" : "progress"} role="img" aria-label={`${steps.over} of ${steps.total} steps are over`} title={`${steps.over} of ${steps.total} steps`}>
      <span style={{ width: `${share}%` }} />
    </span>
  );
}
