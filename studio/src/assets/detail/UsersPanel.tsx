import { get } from "../../api/client";
import { joinPath } from "../../api/resources";
import type { State } from "../../api/types";
import { useQuery } from "../../api/useQuery";
import { useApi } from "../../shell/context";
import { Link } from "../../shell/Link";
import { ErrorMessage } from "../../shell/messages";
import { buildPath } from "../../shell/router";
import { StateBadge } from "../../shell/StateBadge";
import { formatAgo, formatCount } from "../../text/format";
import { Panel } from "./Facts";

interface Users {
  jobs: { name: string; display_name: string | null; experiment: string; status: State; created: number }[];
  assets: { kind: string; name: string; version: string }[];
  searched: number;
  more: boolean;
}

/** The jobs and components that name a version. */
export function UsersPanel({ kind, name, version }: { kind: "components" | "environments"; name: string; version: string }) {
  const api = useApi();
  const found = useQuery(`${api.own} ${kind} ${name} ${version} users`, () => get<Users>(`${api.own}/${joinPath(kind, name, "versions", version)}/users`));
  const now = Date.now() / 1000;
  if (found.error) return <ErrorMessage error={found.error} retry={found.reload} />;
  if (!found.data) return null;
  const { jobs, assets, searched, more } = found.data;
  return (
    <Panel title="Used by">
      {assets.length > 0 && (
        <ul className="plain-list">
          {assets.map((one) => <li key={`${one.name}:${one.version}`}><span className="muted">component</span> <Link to={buildPath(api.workspace.folder, one.kind, one.name, one.version)}>{one.name}:{one.version}</Link></li>)}
        </ul>
      )}
      {jobs.length > 0 && (
        <div className="table-scroll" tabIndex={0} role="region" aria-label="Jobs that use it">
          <table>
            <thead><tr><th>State</th><th>Job</th><th>Experiment</th><th>Created</th></tr></thead>
            <tbody>
              {jobs.map((job) => (
                <tr key={job.name}><td><StateBadge state={job.status} /></td><td><Link to={buildPath(api.workspace.folder, "jobs", job.name)}>{job.display_name ?? job.name}</Link></td><td>{job.experiment}</td><td>{formatAgo(job.created, now)}</td></tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {!jobs.length && !assets.length && <p className="muted">No component, and none of the newest {formatCount(searched)} jobs, names it.</p>}
      {more && <p className="muted">The newest {jobs.length} are shown.</p>}
    </Panel>
  );
}
