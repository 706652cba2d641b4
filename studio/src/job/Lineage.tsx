import type { GraphJob, LineageNode } from "../api/types";
import { useQuery } from "../api/useQuery";
import { useApi } from "../shell/context";
import { Icon } from "../shell/icons";
import { Link } from "../shell/Link";
import { buildPath } from "../shell/router";
import { StateIcon } from "../shell/StateBadge";

/** The way of a step's data: the jobs and assets that it came from, and those that used what it made. */
export function Lineage({ job }: { job: GraphJob }) {
  const api = useApi();
  const found = useQuery(`${api.own} ${job.name} ${job.status} lineage`, () => api.getLineage(job.name));
  const { made_by: before = [], used_by: after = [] } = found.data ?? {};
  return (
    <>
      {before.length > 0 && <section><h3>Made from</h3><Branch nodes={before} side="made_by" /></section>}
      {after.length > 0 && <section><h3>Used by</h3><Branch nodes={after} side="used_by" /></section>}
    </>
  );
}

function Branch({ nodes, side }: { nodes: LineageNode[]; side: "made_by" | "used_by" }) {
  const api = useApi();
  return (
    <ul className="lineage">
      {nodes.map((node, k) => (
        <li key={`${node.kind} ${node.name} ${k}`}>
          <span className="lineage-node">
            {node.kind === "job" && node.status ? <StateIcon state={node.status} size={14} /> : <Icon name="file" size={14} />}
            {node.kind === "job" ? <Link to={buildPath(api.workspace.folder, "jobs", node.name)}>{node.parent ? `${node.parent} / ${node.step}` : node.name}</Link> : node.version && (node.kind === "data" || node.kind === "models") ? <Link to={buildPath(api.workspace.folder, node.kind, node.name, node.version)}>{node.name}:{node.version}</Link> : <span>{node.version ? `${node.name}:${node.version}` : node.name}</span>}
            <span className="muted">{node.kind === "job" ? (node.output ?? node.input ?? "") : node.kind}</span>
          </span>
          {node[side]?.length ? <Branch nodes={node[side]} side={side} /> : null}
        </li>
      ))}
    </ul>
  );
}
