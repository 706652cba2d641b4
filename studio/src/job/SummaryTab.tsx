import type { ReactNode } from "react";
import type { Attempt, GraphJob } from "../api/types";
import { useQuery } from "../api/useQuery";
import { useApi } from "../shell/context";
import { Icon } from "../shell/icons";
import { Link } from "../shell/Link";
import { buildPath } from "../shell/router";
import { useProgressOf } from "../progress/context";
import { ProgressBlock } from "../progress/ProgressBlock";
import { formatBytes, formatDuration, formatTime } from "../text/format";
import { isOver, isWaiting, nameState } from "../text/states";
import { CommandBlock } from "./CommandBlock";
import { EnvironmentBlock } from "./EnvironmentBlock";
import { LogExcerpt } from "./LogExcerpt";
import { ReuseNote } from "./ReuseNote";
import { WaitNote } from "./WaitNote";
import type { TabKey } from "./NodePanel";

/** What a step is and what became of it; of a failed one first why. */
export function SummaryTab({ job, now, onTab }: { job: GraphJob; now: number; onTab: (tab: TabKey) => void }) {
  const api = useApi();
  const body = useQuery(`${api.own} ${job.name} ${job.status} body`, () => api.getJob(job.name));
  const attempts = useQuery(job.attempts ? `${api.own} ${job.name} ${job.status} ${job.attempts} attempts` : null, () => api.getAttempts(job.name));
  const progress = useProgressOf(job.name);
  const properties = body.data?.properties;
  const facts: [string, ReactNode][] = [
    ["Name", <code key="n">{job.name}</code>],
    ["Shown as", job.display_name !== job.name && job.display_name],
    ["State", nameState(job.status)],
    ["Type", job.type.replaceAll("_", " ")],
    ["Created", formatTime(job.created)],
  ];
  if (job.start !== null && job.start !== job.end) {
    facts.push(["Started", `${formatTime(job.start)}, after ${formatDuration(job.start - job.created)}`]);
    facts.push([isOver(job.status) ? "Took" : "Runs for", formatDuration((job.end ?? now) - job.start)]);
  }
  if (job.cpu_seconds !== undefined) facts.push(["Processor time", formatDuration(job.cpu_seconds)]);
  if (job.peak_memory_bytes) facts.push(["Peak memory", formatBytes(job.peak_memory_bytes)]);
  if (properties?.computeId) facts.push(["Compute", lastPart(properties.computeId)]);
  if (properties?.environmentId) facts.push(["Environment", <code key="e">{shortenId(properties.environmentId)}</code>]);
  for (const [key, value] of Object.entries(properties?.tags ?? {})) facts.push([`Tag ${key}`, value]);
  if (properties?.description) facts.push(["Description", properties.description]);
  const last = attempts.data?.attempts.at(-1);
  if (last?.exit_code !== null && last?.exit_code !== undefined && job.status === "Failed") facts.push(["Exit code", last.exit_code]);
  if (last?.start_mode === "warm") facts.push(["Start of the program", `warm${describeSaving(last)}`]);
  if (last?.start_mode === "cold" && last.cold_reason) facts.push(["Start of the program", `cold: ${last.cold_reason}`]);
  return (
    <div className="summary">
      {job.error && (
        <div className={job.status === "Failed" ? "message error" : "message"}>
          <Icon name="alert" />
          <div className="text">{job.error.message}</div>
        </div>
      )}
      {isWaiting(job.status) && <WaitNote job={job} />}
      {!job.composite && job.status === "Failed" && <LogExcerpt job={job} onOpen={() => onTab("log")} />}
      {job.reused && (
        <div className="message">
          <Icon name="reuse" />
          <div className="text">It did not run: its outputs are those of job <Link to={buildPath(api.workspace.folder, "jobs", job.reused)}>{job.reused}</Link>, which is identical in code, inputs and environment.</div>
        </div>
      )}
      {progress && <ProgressBlock progress={progress} />}
      <dl className="facts">{facts.filter(([, value]) => value).map(([name, value]) => <div key={name} className="fact"><dt>{name}</dt><dd>{value}</dd></div>)}</dl>
      {typeof properties?.command === "string" && <CommandBlock title="Command" text={properties.command} />}
      {typeof properties?.environmentId === "string" && <EnvironmentBlock job={job} />}
      {attempts.data && attempts.data.attempts.length > 1 && (
        <section>
          <h3>Attempts</h3>
          <table className="plain">
            <thead><tr><th>Attempt</th><th>Started</th><th>Took</th><th>Ended</th></tr></thead>
            <tbody>
              {attempts.data.attempts.map((one) => (
                <tr key={one.number}><td>{one.number}</td><td>{one.start ? formatTime(one.start) : "–"}</td><td>{one.start ? formatDuration((one.end ?? now) - one.start) : "–"}</td><td>{one.exit_code !== null ? `exit code ${one.exit_code}` : one.signal !== null ? `signal ${one.signal}` : (one.reason ?? "")}</td></tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
      {!job.composite && isOver(job.status) && !job.reused && <ReuseNote job={job} />}
      <CommandBlock title="On the command line" text={job.composite ? `smalt job show --name ${job.name}` : `smalt job stream --name ${job.name}\nsmalt job debug --name ${job.name}`} />
    </div>
  );
}

/** What a warm start spared the program. */
function describeSaving({ imported_before: imported, saved_seconds: saved }: Attempt): string {
  if (!imported) return "";
  return `; imported before: ${imported}${saved && saved >= 0.05 ? `; saved about ${formatDuration(saved)}` : ""}`;
}

const lastPart = (id: string) => id.split("/").at(-1) ?? id;

/** The short form of an asset's long id. */
export function shortenId(id: string): string {
  const found = /\/(?:environments|components|codes)\/([^/]+)\/(?:versions|labels)\/([^/]+)$/.exec(id);
  return found ? `${found[1]}:${found[2]}` : id.replace(/^azureml:/, "");
}
