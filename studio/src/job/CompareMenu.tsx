import { useEffect } from "react";
import type { GraphJob, JobRow } from "../api/types";
import { useQuery } from "../api/useQuery";
import type { WorkspaceApi } from "../api/workspace";
import { buildComparisonQuery } from "../compare/address";
import { listEarlier } from "../compare/previous";
import { Menu } from "../jobs/Menu";
import { offerCommands } from "../shell/commands";
import { useApi } from "../shell/context";
import { Icon } from "../shell/icons";
import { Link } from "../shell/Link";
import { ErrorMessage } from "../shell/messages";
import { buildPath, go } from "../shell/router";
import { StateIcon } from "../shell/StateBadge";
import { tell, tellError } from "../shell/toasts";
import { useNow } from "../shell/useNow";
import { formatAgo } from "../text/format";

const MOST = 50;
const SHOWN = 8;

interface Props {
  job: GraphJob;
  experiment: string;
}

/** The jobs of the same experiment and type before this one, the newest first. */
export async function listPrevious(api: WorkspaceApi, job: GraphJob, experiment: string): Promise<JobRow[]> {
  const query = new URLSearchParams({ experiment, type: job.type, until: String(Math.ceil(job.created)), view: "all", limit: String(MOST) });
  return listEarlier((await api.listJobs(query)).jobs, job);
}

/** Leads to a comparison with the previous run, or with another job. */
export function CompareMenu({ job, experiment }: Props) {
  const api = useApi();
  const folder = api.workspace.folder;
  useEffect(
    () => offerCommands(() => [{
      name: "Compare this job with the previous run", what: "this job",
      run: () => void listPrevious(api, job, experiment).then(([previous]) => (previous ? go(buildComparison(folder, previous.name, job.name)) : tell("there is no earlier job of this type in its experiment")), tellError),
    }]),
    [api, job.name, experiment],
  );
  return <Menu label="Compare">{() => <Choices job={job} experiment={experiment} />}</Menu>;
}

function Choices({ job, experiment }: Props) {
  const api = useApi();
  const now = useNow(30);
  const folder = api.workspace.folder;
  const found = useQuery(`${api.own} ${job.name} previous`, () => listPrevious(api, job, experiment));
  if (found.error) return <ErrorMessage error={found.error} />;
  return (
    <div className="compare-choices">
      {found.data?.slice(0, SHOWN).map((row, k) => (
        <Link key={row.name} className="choice" to={buildComparison(folder, row.name, job.name)}>
          <StateIcon state={row.status} size={14} />
          <span className="value">{k === 0 ? "With the previous run" : (row.display_name ?? row.name)}</span>
          <span className="muted number">{formatAgo(row.created, now)}</span>
        </Link>
      ))}
      {found.data?.length === 0 && <p className="muted">No earlier job of this type is in its experiment.</p>}
      <Link className="choice" to={buildComparison(folder, job.name)}><Icon name="search" size={14} /><span className="value">With another job …</span></Link>
    </div>
  );
}

const buildComparison = (folder: string, ...jobs: string[]): string => `${buildPath(folder, "compare")}?${buildComparisonQuery(jobs)}`;
