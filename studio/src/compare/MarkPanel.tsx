import type { GraphJob, StepFacts } from "../api/types";
import { FileChanges } from "../code/FileChanges";
import { LineChoice } from "../code/LineChoice";
import { useApi } from "../shell/context";
import { Icon } from "../shell/icons";
import { Link } from "../shell/Link";
import { buildPath } from "../shell/router";
import { buildComparisonQuery } from "./address";
import type { StepMark } from "./union";

interface Props {
  job: GraphJob;
  mark: StepMark | undefined;
  facts: Record<string, StepFacts>[];
  isSplit: boolean;
  onClose: () => void;
}

const SENTENCES = {
  added: "Only the second job has this step.",
  removed: "Only the first job has this step.",
  same: "Nothing differs: code, inputs, parameters, environment and state are the same, and the time is about the same.",
  inside: "Steps inside it differ; it is open or can be opened in the graph.",
  changed: "",
};

/** Why a step is marked: each difference with its two values, and the lines of its code. */
export function MarkPanel({ job, mark, facts, isSplit, onClose }: Props) {
  const api = useApi();
  const folder = api.workspace.folder;
  const [base, other] = facts.map((steps) => steps[job.label]);
  const hasCode = base?.code !== other?.code && base?.code && other?.code;
  const rows = mark?.differences.filter(({ kind }) => kind !== "code" || !hasCode) ?? [];
  return (
    <section className="node-panel" aria-label={job.label}>
      <header className="panel-head">
        <h2>{job.label.split("/").join(" / ")}</h2>
        <button className="button quiet icon small" aria-label="Close" onClick={onClose}><Icon name="close" size={14} /></button>
      </header>
      <div className="tab-content summary">
        {!mark && <p className="muted">Trials are not compared one by one: those of two sweeps do not correspond.</p>}
        {mark && mark.look !== "changed" && <p>{SENTENCES[mark.look]}</p>}
        {rows.length > 0 && (
          <table className="compare-table reasons">
            <thead><tr><th scope="col">What</th><th scope="col">First</th><th scope="col">Second</th></tr></thead>
            <tbody>
              {rows.map((one) => (
                <tr key={`${one.kind} ${one.name}`}>
                  <th scope="row">{one.kind === one.name ? one.name : <>{one.kind} <code>{one.name}</code></>}</th>
                  {[one.base, one.other].map((value, k) => <td key={k}>{value === undefined ? <span className="muted">–</span> : <span className="fact-value">{one.kind === "code" ? value.slice(0, 12) : value}</span>}</td>)}
                </tr>
              ))}
            </tbody>
          </table>
        )}
        {hasCode && (
          <section>
            <div className="curve-bar"><h3>Code</h3><LineChoice isSplit={isSplit} /></div>
            <FileChanges base={{ job: base.job, hash: base.code! }} other={{ job: other.job, hash: other.code! }} isSplit={isSplit} />
          </section>
        )}
        <div className="actions">
          {mark?.base && mark.other && <Link className="button" to={`${buildPath(folder, "compare")}?${buildComparisonQuery([mark.base.name, mark.other.name])}`}><Icon name="compare" size={14} />Compare these two steps</Link>}
          <Link className="button" to={buildPath(folder, "jobs", job.name)}>Open the step</Link>
        </div>
      </div>
    </section>
  );
}
