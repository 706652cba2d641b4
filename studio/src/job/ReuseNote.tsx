import type { GraphJob, ReuseStep } from "../api/types";
import { useQuery } from "../api/useQuery";
import { useApi } from "../shell/context";
import { Icon } from "../shell/icons";
import { Link } from "../shell/Link";
import { buildPath } from "../shell/router";

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
      {step.compared_to && (
        <>
          <p className="muted">Compared with the nearest earlier step, <Link to={buildPath(api.workspace.folder, "jobs", step.compared_to.job)}>{step.compared_to.job}</Link>:</p>
          <ul className="parts">
            {step.parts.map(({ part, same }) => <li key={part} className={same ? "same" : "differs"}><Icon name={same ? "check" : "close"} size={12} />{part}<span className="visually-hidden">{same ? " is the same" : " differs"}</span></li>)}
          </ul>
        </>
      )}
    </section>
  );
}

export function describeReuse(step: ReuseStep): string {
  const reason = step.reason.trim();
  return reason.charAt(0).toUpperCase() + reason.slice(1) + (reason.endsWith(".") ? "" : ".");
}
