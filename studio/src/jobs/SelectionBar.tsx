import { useEffect } from "react";
import type { JobRow } from "../api/types";
import { buildComparisonQuery, MOST_JOBS } from "../compare/address";
import { offerCommands } from "../shell/commands";
import { useApi } from "../shell/context";
import { Icon } from "../shell/icons";
import { Link } from "../shell/Link";
import { buildPath, go } from "../shell/router";
import { tell, tellError } from "../shell/toasts";
import { pluralize } from "../text/format";
import { isOver } from "../text/states";

interface Props {
  rows: JobRow[];
  onDone: () => void;
  onClear: () => void;
}

/** What can be done with the selected jobs. */
export function SelectionBar({ rows, onDone, onClear }: Props) {
  const api = useApi();
  const running = rows.filter((row) => !isOver(row.status));
  const [archived, active] = [rows.filter((row) => row.archived), rows.filter((row) => !row.archived)];
  const comparison = rows.length > 1 && rows.length <= MOST_JOBS ? `${buildPath(api.workspace.folder, "compare")}?${buildComparisonQuery(rows.map((row) => row.name).reverse())}` : null;
  useEffect(() => (comparison ? offerCommands(() => [{ name: "Compare the selected jobs", what: "selection", run: () => go(comparison) }]) : undefined), [comparison]);
  async function apply(chosen: JobRow[], work: (name: string) => Promise<unknown>, done: string) {
    try {
      for (const row of chosen) await work(row.name);
      tell(`${done} ${pluralize(chosen.length, "job")}`);
    } catch (error) {
      tellError(error);
    }
    onDone();
  }
  return (
    <div className="selection" role="toolbar" aria-label="Selected jobs">
      <strong>{pluralize(rows.length, "job")} selected</strong>
      {comparison ? <Link className="button small" to={comparison}><Icon name="compare" size={14} />Compare</Link> : rows.length > 1 && <span className="muted">At most {MOST_JOBS} are compared at once.</span>}
      {running.length > 0 && <button className="button small danger" onClick={() => apply(running, (name) => api.cancelJob(name), "asked to cancel")}><Icon name="stop" size={14} />Cancel {running.length}</button>}
      {active.length > 0 && <button className="button small" onClick={() => apply(active, (name) => api.archiveJob(name, true), "archived")}><Icon name="archive" size={14} />Archive</button>}
      {archived.length > 0 && <button className="button small" onClick={() => apply(archived, (name) => api.archiveJob(name, false), "restored")}><Icon name="archive" size={14} />Restore</button>}
      <button className="button quiet small" onClick={onClear}>Clear selection</button>
    </div>
  );
}
