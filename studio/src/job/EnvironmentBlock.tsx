import { useState } from "react";
import { getEnvironment, searchLog, type JobEnvironment } from "../api/details";
import type { GraphJob } from "../api/types";
import { useQuery } from "../api/useQuery";
import { LogView } from "../log/LogView";
import { useApi } from "../shell/context";
import { Icon } from "../shell/icons";
import { ErrorMessage } from "../shell/messages";
import { formatBytes, formatDuration, formatTime, pluralize } from "../text/format";

const LOG = "system_logs/smalt.log";

/** What a step's environment has, and the log of its build. */
export function EnvironmentBlock({ job }: { job: GraphJob }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <section className="fold">
      <h3><button className="fold-head" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}><Icon name={isOpen ? "down" : "right"} size={14} />Environment</button></h3>
      {isOpen && <Content job={job} />}
    </section>
  );
}

function Content({ job }: { job: GraphJob }) {
  const api = useApi();
  const [isLogOpen, setLogOpen] = useState(false);
  const found = useQuery(`${api.own} ${job.name} ${job.status} environment`, () => getEnvironment(api, job.name));
  if (found.error) return <ErrorMessage error={found.error} retry={found.reload} />;
  if (!found.data) return null;
  const environment = found.data;
  const builder = environment.built_for;
  return (
    <div className="fold-content">
      <dl className="facts">{listFacts(environment).map(([name, value]) => <div className="fact" key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>
      {environment.notes.map((note) => <p key={note}>{note}</p>)}
      {environment.packages && environment.packages.length > 0 && <pre className="packages" tabIndex={0} aria-label="Packages">{environment.packages.join("\n")}</pre>}
      {!environment.packages && <p className="muted">What it has is known once a job has used it on this machine.</p>}
      {builder && <button className="button small" aria-expanded={isLogOpen} onClick={() => setLogOpen(!isLogOpen)}><Icon name="file" size={14} />Log of its build</button>}
      {builder && isLogOpen && (
        <div className="build-log">
          <LogView url={api.buildLogUrl(builder, LOG)} isGrowing={builder === job.name && job.end === null} name={`${environment.name} build.txt`} search={(text, from, line, signal) => searchLog(api, builder, { file: LOG, text, from, line, limit: 1000 }, signal)} />
        </div>
      )}
    </div>
  );
}

function listFacts({ name, declaration, python, packages, used, built, seconds, size }: JobEnvironment): [string, string][] {
  const facts: [string, string | null][] = [
    ["Name", name],
    ["Image", declaration?.image ?? null],
    ["Python", python],
    ["Packages", packages && `${pluralize(packages.length, "package")}${used ? ", as this step had them" : ", as it is built now"}`],
    ["Built", built === null ? null : `${formatTime(built)}${seconds ? `, in ${formatDuration(seconds)}` : ""}`],
    ["Size", size === null ? null : formatBytes(size)],
  ];
  return facts.flatMap(([key, value]): [string, string][] => (value ? [[key, value]] : []));
}
