import type { ComparedJob } from "../api/types";
import { Columns } from "./Columns";
import type { FactSection } from "./facts";

interface Props {
  jobs: Pick<ComparedJob, "name" | "display_name">[];
  sections: FactSection[];
  /** True if rows are shown in which nothing differs. */
  isAll: boolean;
}

/** Facts as rows and jobs as columns; what differs from the first job is marked. */
export function FactTable({ jobs, sections, isAll }: Props) {
  const shown = sections.map((section) => ({ ...section, rows: section.rows.filter((row) => isAll || row.differs) })).filter(({ rows }) => rows.length > 0);
  if (!shown.length) return null;
  return (
    <div className="compare-scroll" tabIndex={0} role="region" aria-label="Facts of the jobs">
      <table className="compare-table">
        <Columns first="Fact" jobs={jobs} />
        {shown.map(({ name, rows }) => (
          <tbody key={name}>
            <tr className="section"><th scope="rowgroup" colSpan={jobs.length + 1}>{name}</th></tr>
            {rows.map((row) => (
              <tr key={row.name} data-differs={row.differs || undefined}>
                <th scope="row">{row.name}</th>
                {row.values.map((value, k) => (
                  <td key={jobs[k].name} className={row.differs && value !== row.values[0] ? "other" : undefined}>{value === undefined ? <span className="muted">–</span> : <span className="fact-value">{value}</span>}</td>
                ))}
              </tr>
            ))}
          </tbody>
        ))}
      </table>
    </div>
  );
}
