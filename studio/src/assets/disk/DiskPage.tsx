import { useEffect } from "react";
import { get } from "../../api/client";
import { useQuery } from "../../api/useQuery";
import { CommandBlock } from "../../job/CommandBlock";
import { ErrorMessage, Loading } from "../../shell/messages";
import { formatBytes } from "../../text/format";
import { Panel } from "../detail/Facts";
import "../assets.css";
import "../../jobs/jobs.css";
import "../../job/job.css";

interface Status {
  home: string;
  disk: { free: number; size: number; full: boolean };
}

/** How full the disk is, and what takes the space. */
export default function DiskPage() {
  useEffect(() => {
    document.title = "Disk · smalt";
  }, []);
  const status = useQuery("status", () => get<Status>("/smalt/v1/status"));
  return (
    <div className="jobs-page asset-list">
      <header className="page-head"><h1>Disk</h1></header>
      {status.error && <ErrorMessage error={status.error} retry={status.reload} />}
      {!status.data && !status.error && <Loading what="the disk" />}
      {status.data && (
        <Panel title={status.data.home}>
          <p>{formatBytes(status.data.disk.free)} free of {formatBytes(status.data.disk.size)}</p>
        </Panel>
      )}
      <CommandBlock title="On the command line" text={"smalt du\nsmalt prune --dry-run"} />
    </div>
  );
}
