import type { CSSProperties } from "react";
import type { ComparedJob } from "../api/types";
import { listColours } from "../curves/colours";
import { useApi } from "../shell/context";
import { Icon } from "../shell/icons";
import { Link } from "../shell/Link";
import { buildPath } from "../shell/router";
import { StateIcon } from "../shell/StateBadge";
import { useThemeCount } from "../shell/useThemeCount";

/** The jobs of the comparison, in order; the first is the one that the others are compared with. */
export function JobChips({ jobs, onChange }: { jobs: ComparedJob[]; onChange: (names: string[]) => void }) {
  const api = useApi();
  useThemeCount();
  const colours = listColours();
  const names = jobs.map((job) => job.name);
  return (
    <ol className="job-chips" aria-label="Jobs that are compared">
      {jobs.map((job, k) => (
        <li key={job.name} style={{ "--own": colours[k % colours.length] } as CSSProperties}>
          <StateIcon state={job.status} size={14} />
          <Link to={buildPath(api.workspace.folder, "jobs", job.name)} title={job.name}>{job.display_name ?? job.name}</Link>
          {job.display_name && <span className="muted mono">{job.name}</span>}
          {k === 0 ? <span className="first">first</span> : <button className="button quiet small" onClick={() => onChange([job.name, ...names.filter((name) => name !== job.name)])} title="Compare the others with this one">Put first</button>}
          <button className="button quiet icon small" aria-label={`Leave out ${job.display_name ?? job.name}`} onClick={() => onChange(names.filter((name) => name !== job.name))}><Icon name="close" size={12} /></button>
        </li>
      ))}
    </ol>
  );
}
