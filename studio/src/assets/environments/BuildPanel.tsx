import { useState } from "react";
import { get } from "../../api/client";
import { joinPath } from "../../api/resources";
import { useQuery } from "../../api/useQuery";
import { useApi } from "../../shell/context";
import { Link } from "../../shell/Link";
import { ErrorMessage } from "../../shell/messages";
import { buildPath } from "../../shell/router";
import { formatBytes, formatDuration, formatTime, pluralize } from "../../text/format";
import { Facts, Panel } from "../detail/Facts";
import { findMatching } from "../list/query";
import { splitPackage } from "./packages";

interface Build {
  state: "built" | "building" | "not built";
  hash?: string;
  python?: string;
  image?: string | null;
  packages?: string[];
  size?: number;
  built?: number;
  seconds?: number;
  last_used?: number;
  relaxed?: string[];
  first_job?: string | null;
}

const LOOKS = { built: "completed", building: "running", "not built": "waiting" } as const;

/** What is installed for an environment, if it is built. */
export function BuildPanel({ name, version }: { name: string; version: string }) {
  const api = useApi();
  const path = `${api.own}/${joinPath("environments", name, "versions", version)}/build`;
  const found = useQuery(path, () => get<Build>(path));
  if (found.error) return <ErrorMessage error={found.error} retry={found.reload} />;
  if (!found.data) return null;
  const build = found.data;
  return (
    <Panel title="Build">
      <p><span className={`badge look-${LOOKS[build.state]}`}>{build.state}</span></p>
      {build.state === "not built" && <p className="muted">It is built when a job uses it for the first time.</p>}
      {build.state === "building" && <p><button className="button small" onClick={found.reload}>Look again</button></p>}
      {build.state === "built" && (
        <>
          <Facts facts={[
            ["Python", build.python],
            ["Image", build.image && <code key="i">{build.image}</code>],
            ["Size on disk", build.size === undefined ? null : formatBytes(build.size)],
            ["Built", build.built ? `${formatTime(build.built)}, in ${formatDuration(build.seconds ?? 0)}` : null],
            ["Last used", build.last_used ? formatTime(build.last_used) : null],
            ["Build log", build.first_job && <Link key="l" to={`${buildPath(api.workspace.folder, "jobs", build.first_job)}?tab=log`}>in the log of {build.first_job}, for which it was built</Link>],
          ]} />
          {build.relaxed?.map((sentence) => <p key={sentence}>{sentence}</p>)}
          <Packages packages={build.packages ?? []} />
        </>
      )}
    </Panel>
  );
}

function Packages({ packages }: { packages: string[] }) {
  const [text, setText] = useState("");
  if (!packages.length) return null;
  const shown = findMatching(packages, text, (one) => one);
  return (
    <>
      <h3>{pluralize(packages.length, "package")}</h3>
      {packages.length > 12 && <input className="field" type="search" value={text} placeholder="Find a package" aria-label="Find a package" onChange={(event) => setText(event.target.value)} />}
      <div className="table-scroll" tabIndex={0} role="region" aria-label="Packages">
        <table>
          <thead><tr><th>Package</th><th>Version</th></tr></thead>
          <tbody>{shown.map((one) => { const [name, version] = splitPackage(one); return <tr key={one}><td>{name}</td><td className="mono">{version}</td></tr>; })}</tbody>
        </table>
      </div>
      {!shown.length && <p className="muted">No package is called so.</p>}
    </>
  );
}
