import type { GraphJob } from "../api/types";
import { useQuery } from "../api/useQuery";
import { useApi } from "../shell/context";
import { Icon } from "../shell/icons";
import { Empty, ErrorMessage } from "../shell/messages";
import { formatBytes } from "../text/format";
import { CommandBlock } from "./CommandBlock";

const GIT: Record<string, string> = {
  "azureml.git.repository_uri": "Repository", "azureml.git.branch": "Branch", "azureml.git.commit": "Commit", "azureml.git.dirty": "Uncommitted changes",
};

/** The code that a step ran, as it was when it was submitted. */
export function CodeTab({ job }: { job: GraphJob }) {
  const api = useApi();
  const found = useQuery(`${api.own} ${job.name} snapshot`, () => api.getSnapshot(job.name));
  if (found.error) return <ErrorMessage error={found.error} retry={found.reload} />;
  if (!found.data) return null;
  const { git, snapshots } = found.data;
  const facts = Object.entries(GIT).filter(([key]) => git[key]);
  if (!snapshots.length && !facts.length) return <Empty icon="archive" title="It ran no code of its own"><p>Its command uses what its environment has.</p></Empty>;
  return (
    <div className="summary">
      {facts.length > 0 && <dl className="facts">{facts.map(([key, name]) => <div className="fact" key={key}><dt>{name}</dt><dd><code>{git[key]}</code></dd></div>)}</dl>}
      {snapshots.map((snapshot) => (
        <section key={snapshot.hash}>
          <h3>{snapshot.files.length} files, {formatBytes(snapshot.bytes)} <span className="muted mono">{snapshot.hash.slice(0, 12)}</span></h3>
          <ul className="plain-list">{snapshot.files.map((file) => <li key={file.path}><Icon name="file" size={14} /><span className="mono">{file.path}</span><span className="muted number">{formatBytes(file.size)}</span></li>)}</ul>
        </section>
      ))}
      <CommandBlock title="Fetch it" text={`smalt job snapshot --name ${job.name} --restore-to code`} />
    </div>
  );
}
