import { useEffect, useRef, useState } from "react";
import { followChanges } from "../../api/changes";
import { get } from "../../api/client";
import type { JobRow, State } from "../../api/types";
import { useQuery } from "../../api/useQuery";
import { useApi } from "../../shell/context";
import { Icon } from "../../shell/icons";
import { Link } from "../../shell/Link";
import { ErrorMessage } from "../../shell/messages";
import { buildPath } from "../../shell/router";
import { StateBadge } from "../../shell/StateBadge";
import { useNow } from "../../shell/useNow";
import { useThrottle } from "../../shell/useThrottle";
import { formatDuration, pluralize } from "../../text/format";
import { Panel } from "../detail/Facts";
import { countHeld, findSlots, type ComputeSlots } from "./slots";

const MOST_DRAWN = 256;
const PAUSE = 1000;

/** The slots of a compute and the jobs that hold them, kept up to date by the workspace's changes. */
export function SlotsPanel({ name }: { name: string }) {
  const api = useApi();
  const found = useQuery(`slots ${name}`, () => get<{ computes: ComputeSlots[] }>("/smalt/v1/slots"));
  const [shown, setShown] = useState<ComputeSlots | undefined>(undefined);
  useEffect(() => {
    if (found.data) setShown(findSlots(found.data.computes, name));
  }, [found.data, name]);
  const reload = useThrottle(found.reload, PAUSE);
  const latest = useRef(reload);
  latest.current = reload;
  useEffect(() => {
    let stop: (() => void) | null = null;
    let isOver = false;
    api.listJobs("limit=1").then(({ after }) => {
      if (!isOver) stop = followChanges<JobRow>(api, null, after, () => latest.current());
    }, () => {}); // the page shows the slots without following them
    return () => {
      isOver = true;
      stop?.();
    };
  }, [api]);
  const now = useNow(1, (shown?.holders.length ?? 0) > 0);
  if (found.error && !shown) return <ErrorMessage error={found.error} retry={found.reload} />;
  if (!shown) return null;
  const held = countHeld(shown);
  return (
    <Panel title="Slots">
      <p role="status">
        {shown.cpus === null ? "This compute queues by itself." : `${held} of ${pluralize(shown.cpus, "slot")} held`}
        {shown.gpus.length > 0 && `, ${pluralize(shown.gpus.length, "GPU")}`}
        {shown.waiting > 0 && `, ${pluralize(shown.waiting, "job")} waiting for one`}
      </p>
      {shown.cpus !== null && <div className="slots" aria-hidden="true">{Array.from({ length: Math.min(shown.cpus, MOST_DRAWN) }, (_, k) => <span key={k} className={k < held ? "slot held" : "slot"} />)}</div>}
      {shown.holders.length > 0 ? (
        <div className="table-scroll" tabIndex={0} role="region" aria-label="Jobs that hold slots">
          <table>
            <thead><tr><th>State</th><th>Job</th><th>Workspace</th><th>Slots</th><th>GPUs</th><th>For</th></tr></thead>
            <tbody>
              {shown.holders.map((holder) => (
                <tr key={`${holder.folder} ${holder.job}`}>
                  <td><StateBadge state={holder.status as State} /></td>
                  <td><Link to={buildPath(holder.folder, "jobs", holder.root)}>{holder.label}</Link>{holder.root !== holder.job && <span className="muted"> of {holder.root}</span>}</td>
                  <td>{holder.workspace}</td>
                  <td>{holder.cpus}</td>
                  <td>{holder.gpus.join(", ")}</td>
                  <td>{holder.since === null ? "–" : formatDuration(now - holder.since)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : <p className="muted">No job holds one now.</p>}
      {shown.held > shown.holders.length && <p className="muted">{pluralize(shown.held - shown.holders.length, "more job")}</p>}
      <p><button className="button small" onClick={found.reload}><Icon name="rerun" size={14} />Look again</button></p>
    </Panel>
  );
}
