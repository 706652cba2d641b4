import { useMemo } from "react";
import type { ComparedJob } from "../api/types";
import { useQuery } from "../api/useQuery";
import { FileChanges } from "../code/FileChanges";
import { LineChoice } from "../code/LineChoice";
import { useApi } from "../shell/context";
import { Empty, ErrorMessage, Loading } from "../shell/messages";
import { pluralize } from "../text/format";
import { pairCodes, type CodeChange } from "./code";

interface Props {
  base: ComparedJob;
  other: ComparedJob;
  isSplit: boolean;
}

/** The files that differ between the codes of two jobs, or of their steps. */
export default function CodePart({ base, other, isSplit }: Props) {
  const api = useApi();
  const found = useQuery(`${api.own} facts ${base.name} ${other.name} ${base.status} ${other.status}`, () => Promise.all([api.getStepFacts(base.name), api.getStepFacts(other.name)]));
  const codes = useMemo(() => found.data && pairCodes(found.data[0].steps, found.data[1].steps), [found.data]);
  if (found.error) return <ErrorMessage error={found.error} retry={found.reload} />;
  if (!codes) return <Loading what="the code" />;
  if (!codes.changes.length) {
    return codes.same
      ? <Empty icon="check" title="They ran the same code"><p>{codes.same > 1 ? `So did all ${codes.same} steps that have code.` : "Each file is the same, byte for byte."}</p></Empty>
      : <Empty icon="archive" title="Neither ran code of its own"><p>Their commands use what their environments have.</p></Empty>;
  }
  return (
    <div className="compare-part">
      <div className="curve-bar">
        <LineChoice isSplit={isSplit} />
        {codes.same > 0 && <span className="muted">{pluralize(codes.same, "step")} ran the same code in both.</span>}
      </div>
      {codes.changes.map((change) => (
        <section key={change.steps.join("|")} className="code-change">
          {change.steps.some(Boolean) && <h2>{describeSteps(change)}</h2>}
          <FileChanges base={change.base} other={change.other} isSplit={isSplit} />
        </section>
      ))}
    </div>
  );
}

function describeSteps({ steps, base, other }: CodeChange): string {
  const names = steps.length > 4 ? `${steps.slice(0, 3).join(", ")} and ${steps.length - 3} more` : steps.join(", ");
  return !base ? `${names}: only in the second job` : !other ? `${names}: only in the first job` : names;
}
