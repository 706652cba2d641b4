import { useState } from "react";
import type { ExperimentCount, JobCounts, State } from "../api/types";
import { useQuery } from "../api/useQuery";
import { useApi } from "../shell/context";
import { Icon } from "../shell/icons";
import { Link } from "../shell/Link";
import { ErrorMessage } from "../shell/messages";
import { buildPath, setQuery } from "../shell/router";
import { StateBadge } from "../shell/StateBadge";
import { useNow } from "../shell/useNow";
import { formatAgo, formatCount, formatRunTime, pluralize } from "../text/format";
import { getLook, nameState } from "../text/states";
import { buildServerQuery, type JobFilter } from "./filter";

const FEW = 8;

/** The experiments, each with its jobs by state; opened, with the newest that the filter keeps. */
export function ExperimentGroups({ counts, filter, version }: { counts: JobCounts; filter: JobFilter; version: number }) {
  const now = useNow(30);
  const words = filter.search.toLowerCase().split(/\s+/).filter(Boolean);
  const chosen = counts.experiments.filter(
    (one) => (!filter.experiment.length || filter.experiment.includes(one.name)) && words.every((word) => one.name.toLowerCase().includes(word)),
  );
  if (!chosen.length) return <p className="muted none">No experiment matches.</p>;
  return (
    <div className="groups">
      {chosen.map((experiment) => <Group key={experiment.name} experiment={experiment} filter={filter} now={now} version={version} />)}
    </div>
  );
}

function Group({ experiment, filter, now, version }: { experiment: ExperimentCount; filter: JobFilter; now: number; version: number }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <section className="group card">
      <h2>
        <button className="group-head" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          <Icon name={isOpen ? "down" : "right"} size={14} />
          <span className="name">{experiment.name}</span>
          <StateShares states={experiment.states} total={experiment.jobs} />
          <span className="muted number">{pluralize(experiment.jobs, "job")}</span>
          <span className="muted last">{formatAgo(experiment.last, now)}</span>
        </button>
      </h2>
      {isOpen && <Newest experiment={experiment} filter={filter} now={now} version={version} />}
    </section>
  );
}

export function StateShares({ states, total }: { states: Partial<Record<State, number>>; total: number }) {
  const shares = Object.entries(states) as [State, number][];
  const text = shares.map(([state, count]) => `${formatCount(count)} ${nameState(state)}`).join(", ");
  return (
    <span className="shares" role="img" aria-label={text} title={text}>
      {shares.map(([state, count]) => <span key={state} className={`look-${getLook(state)}`} style={{ flexGrow: count / total }} />)}
    </span>
  );
}

function Newest({ experiment, filter, now, version }: { experiment: ExperimentCount; filter: JobFilter; now: number; version: number }) {
  const api = useApi();
  const query = buildServerQuery({ ...filter, experiment: [experiment.name], search: "" }, now);
  query.set("limit", String(FEW));
  const found = useQuery(`${api.own} ${query} ${version}`, () => api.listJobs(query));
  if (found.error) return <ErrorMessage error={found.error} />;
  return (
    <ul className="newest">
      {found.data?.jobs.map((row) => (
        <li key={row.name}>
          <StateBadge state={row.status} />
          <Link to={buildPath(api.workspace.folder, "jobs", row.name)}>{row.display_name ?? row.name}</Link>
          <span className="muted">{formatAgo(row.created, now)}</span>
          <span className="muted number">{formatRunTime(row, now)}</span>
        </li>
      ))}
      {found.data && found.data.total === 0 && <li className="muted">No job of it matches.</li>}
      {found.data && found.data.total > FEW && (
        <li><button className="button quiet small" onClick={() => setQuery({ group: null, experiment: experiment.name })}>Show all {formatCount(found.data.total)}</button></li>
      )}
    </ul>
  );
}
