import { useEffect, useState } from "react";
import type { GraphJob } from "../api/types";
import { useApi } from "../shell/context";
import { offerCommands } from "../shell/commands";
import { Icon } from "../shell/icons";
import { Link } from "../shell/Link";
import { buildPath, go } from "../shell/router";
import { tell, tellError } from "../shell/toasts";
import { isOver } from "../text/states";
import { CompareMenu } from "./CompareMenu";
import { RerunDialog } from "./RerunDialog";

interface Props {
  job: GraphJob;
  experiment: string;
  isArchived: boolean;
  onChange: () => void;
}

/** What can be done with the job of the page. */
export function JobActions({ job, experiment, isArchived, onChange }: Props) {
  const api = useApi();
  const [isRerunning, setRerunning] = useState(false);
  const canCancel = !isOver(job.status) && job.status !== "CancelRequested";
  const drawing = `${buildPath(api.workspace.folder, "designer")}?job=${encodeURIComponent(job.name)}`;
  const cancel = () => api.cancelJob(job.name).then(() => tell("asked the job to stop"), tellError);
  const archive = () => api.archiveJob(job.name, !isArchived).then(() => { tell(isArchived ? "restored the job" : "archived the job"); onChange(); }, tellError);
  useEffect(
    () => offerCommands(() => [
      { name: "Run this job again", what: "this job", run: () => setRerunning(true) },
      ...(job.type === "pipeline" ? [{ name: "Open this pipeline in the designer", what: "this job", run: () => go(drawing) }] : []),
      ...(canCancel ? [{ name: "Cancel this job", what: "this job", run: () => void cancel() }] : []),
      { name: isArchived ? "Restore this job" : "Archive this job", what: "this job", run: () => void archive() },
    ]),
    [job.name, canCancel, isArchived],
  );
  return (
    <div className="actions">
      {canCancel && <button className="button danger" onClick={cancel}><Icon name="stop" size={14} />Cancel</button>}
      <button className="button" onClick={() => setRerunning(true)}><Icon name="rerun" size={14} />Run again</button>
      {job.type === "pipeline" && <Link className="button folds-last" title="Open in the designer" aria-label="Open in the designer" to={drawing}><Icon name="designer" size={14} /><span className="label">Designer</span></Link>}
      <button className="button folds" title={isArchived ? "Restore" : "Archive"} onClick={archive}><Icon name="archive" size={14} /><span className="label">{isArchived ? "Restore" : "Archive"}</span></button>
      <CompareMenu job={job} experiment={experiment} />
      {isRerunning && <RerunDialog name={job.name} onClose={() => setRerunning(false)} />}
    </div>
  );
}
