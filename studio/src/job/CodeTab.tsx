import { getPrevious } from "../api/details";
import type { GraphJob, Snapshot } from "../api/types";
import { useQuery } from "../api/useQuery";
import type { WorkspaceApi } from "../api/workspace";
import { CodeFiles } from "../code/CodeFiles";
import { buildCode } from "../code/snapshots";
import { useApi } from "../shell/context";
import { Link } from "../shell/Link";
import { Empty, ErrorMessage } from "../shell/messages";
import { buildPath } from "../shell/router";
import { formatBytes, pluralize } from "../text/format";
import { CommandBlock } from "./CommandBlock";

const GIT: Record<string, string> = {
  "azureml.git.repository_uri": "Repository", "azureml.git.branch": "Branch", "azureml.git.commit": "Commit", "azureml.git.dirty": "Uncommitted changes",
};
type JobSnapshot = Snapshot["snapshots"][number];

async function loadCode(api: WorkspaceApi, job: string) {
  const [own, { job: previous }] = await Promise.all([api.getSnapshot(job), getPrevious(api, job)]);
  const earlier = previous ? await api.getSnapshot(previous).catch(() => null) : null; // its code may be pruned
  return { own, previous: earlier && previous, earlier };
}

/** The code that a step ran, as it was when it was submitted, and what has changed since the run before. */
export function CodeTab({ job }: { job: GraphJob }) {
  const api = useApi();
  const found = useQuery(`${api.own} ${job.name} code`, () => loadCode(api, job.name));
  if (found.error) return <ErrorMessage error={found.error} retry={found.reload} />;
  if (!found.data) return null;
  const { own, previous, earlier } = found.data;
  const facts = Object.entries(GIT).filter(([key]) => own.git[key]);
  if (!own.snapshots.length && !facts.length) return <Empty icon="archive" title="It ran no code of its own"><p>Its command uses what its environment has.</p></Empty>;
  return (
    <div className="summary">
      {facts.length > 0 && <dl className="facts">{facts.map(([key, name]) => <div className="fact" key={key}><dt>{name}</dt><dd><code>{own.git[key]}</code></dd></div>)}</dl>}
      {own.snapshots.map((snapshot) => {
        const match = earlier && findCounterpart(snapshot, own.snapshots, earlier.snapshots);
        return (
          <section key={snapshot.hash}>
            <h3>{pluralize(snapshot.files.length, "file")}, {formatBytes(snapshot.bytes)} <span className="muted mono">{snapshot.hash.slice(0, 12)}</span></h3>
            {match && previous && <p className="muted">Compared with the run before, <Link to={buildPath(api.workspace.folder, "jobs", previous)}>{previous}</Link>.</p>}
            <CodeFiles own={buildCode(api, job.name, snapshot)} before={match && previous ? buildCode(api, previous, match) : null} />
          </section>
        );
      })}
      <CommandBlock title="Fetch it" text={`smalt job snapshot --name ${job.name} --restore-to code`} />
    </div>
  );
}

/** The earlier code that a snapshot is compared with: that of the same steps, or the only one. */
function findCounterpart(snapshot: JobSnapshot, own: JobSnapshot[], earlier: JobSnapshot[]): JobSnapshot | null {
  const steps = new Set(snapshot.steps);
  const same = earlier.find((one) => one.steps.some((step) => step !== null && steps.has(step)));
  return same ?? (own.length === 1 && earlier.length === 1 ? earlier[0] : null);
}
