import { useEffect, useState } from "react";
import { get } from "../../api/client";
import { useQuery } from "../../api/useQuery";
import { CommandBlock } from "../../job/CommandBlock";
import { Icon } from "../../shell/icons";
import { ErrorMessage, Loading } from "../../shell/messages";
import { formatAgo, formatBytes } from "../../text/format";
import { groupByWorkspace, type DiskUsage, type WorkspaceUsage } from "./usage";
import "../../jobs/jobs.css";
import "../../job/job.css";
import "../assets.css";

const PAUSE = 1000;

/** How full the disk is, and what of this home takes the space, by workspace. */
export default function DiskPage() {
  const [isWanted, setWanted] = useState(false);
  const found = useQuery("disk", () => get<DiskUsage>("/smalt/v1/disk/last", { refresh: isWanted }));
  useEffect(() => {
    document.title = "Disk · smalt";
  }, []);
  const isCounting = found.data?.counting === true;
  useEffect(() => {
    if (!isCounting) return undefined;
    const timer = setTimeout(found.reload, PAUSE); // only while a count is under way
    return () => clearTimeout(timer);
  }, [isCounting, found.data, found.reload]);
  function count() {
    setWanted(true);
    found.reload();
  }
  const { items, counted, disk } = found.data ?? {};
  return (
    <div className="jobs-page asset-list">
      <header className="page-head">
        <h1>Disk</h1>
        <span className="muted" role="status">{isCounting ? "counting" : counted ? `counted ${formatAgo(counted, Date.now() / 1000)}` : ""}</span>
        <span className="space" />
        <button className="button" onClick={count} disabled={isCounting}><Icon name="rerun" size={14} />Count again</button>
      </header>
      {found.error && <ErrorMessage error={found.error} retry={found.reload} />}
      {!found.data && !found.error && <Loading what="the disk" />}
      <div className="disk-page">
        {disk && (
          <section className="card panel">
            <h2>The disk of the home</h2>
            <div className={disk.full ? "meter full" : "meter"} aria-hidden="true"><span style={{ width: `${(1 - disk.free / disk.size) * 100}%` }} /></div>
            <p>{formatBytes(disk.free)} free of {formatBytes(disk.size)}{disk.full ? "; it is full, and no new job is taken" : ""}</p>
          </section>
        )}
        {items && groupByWorkspace(items).map((group) => <Usage key={group.workspace ?? ""} group={group} />)}
        {found.data && !items && <p className="muted">What takes the space is being counted.</p>}
        <CommandBlock title="On the command line" text={"smalt du\nsmalt prune --dry-run"} />
      </div>
    </div>
  );
}

function Usage({ group }: { group: WorkspaceUsage }) {
  const largest = group.items[0]?.bytes ?? 0;
  return (
    <section className="card panel">
      <h2>{group.workspace === null ? "Shared by all workspaces" : `Workspace ${group.workspace}`} <span className="muted number">{formatBytes(group.bytes)}</span></h2>
      <table className="plain">
        <thead><tr><th>What</th><th><span className="visually-hidden">Share</span></th><th>Size</th></tr></thead>
        <tbody>
          {group.items.map((item) => (
            <tr key={item.kind}>
              <td>{item.kind}</td>
              <td><div className="meter" aria-hidden="true"><span style={{ width: `${(item.bytes / largest) * 100}%` }} /></div></td>
              <td className="number">{formatBytes(item.bytes)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
