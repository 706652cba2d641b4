import type { GraphJob, ReuseStep } from "../api/types";
import { useQuery } from "../api/useQuery";
import { useApi } from "../shell/context";

/** Why a step ran though an earlier one may have been the same. */
export function ReuseNote({ job }: { job: GraphJob }) {
  const api = useApi();
  const found = useQuery(`${api.own} ${job.name} ${job.status} reuse`, () => api.explainReuse(job.name));
  const step = found.data?.steps[0];
  if (!step?.reason) return null;
  return (
    <section>
      <h3>Reuse</h3>
      <p>{describeReuse(step)}</p>
      {step.compared_to && <p className="muted">Compared with job {step.compared_to}.</p>}
    </section>
  );
}

export function describeReuse(step: ReuseStep): string {
  const reason = step.reason.trim();
  return reason.charAt(0).toUpperCase() + reason.slice(1) + (reason.endsWith(".") ? "" : ".");
}
