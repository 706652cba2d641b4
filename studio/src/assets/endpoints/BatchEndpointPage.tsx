import { get } from "../../api/client";
import { joinPath, listResources, type Resource } from "../../api/resources";
import type { State } from "../../api/types";
import { useQuery, type Query } from "../../api/useQuery";
import { CommandBlock } from "../../job/CommandBlock";
import { useApi } from "../../shell/context";
import { Link } from "../../shell/Link";
import { ErrorMessage, Loading } from "../../shell/messages";
import { buildPath } from "../../shell/router";
import { StateBadge } from "../../shell/StateBadge";
import { AssetLink } from "../detail/AssetLink";
import { DetailPage } from "../detail/DetailPage";
import { Facts, Panel } from "../detail/Facts";
import { ResourceLoader } from "../detail/ResourceLoader";
import { ListTable } from "../list/ListTable";
import { InvokeTab } from "./InvokeTab";
import type { BatchDeployment, BatchEndpoint } from "./types";

type Deployments = Resource<BatchDeployment>[];

interface InvokedJob {
  name: string;
  properties: { status: State; displayName?: string; deploymentName: string };
}

const MOST_JOBS = 100;

/** A batch endpoint: its deployments, the jobs of its invocations, and a form to invoke it. */
export function BatchEndpointPage({ name }: { name: string }) {
  return <ResourceLoader<BatchEndpoint> path={joinPath("batchEndpoints", name)}>{({ properties }) => <LoadedEndpoint name={name} endpoint={properties} />}</ResourceLoader>;
}

function LoadedEndpoint({ name, endpoint }: { name: string; endpoint: BatchEndpoint }) {
  const api = useApi();
  const path = joinPath("batchEndpoints", name);
  const found = useQuery(`${api.own} ${path} deployments`, async () => (await listResources<BatchDeployment>(api, `${path}/deployments`)).value);
  const isDefault = (deployment: string) => deployment === endpoint.defaults?.deploymentName;
  return (
    <DetailPage
      list={{ name: "Endpoints", path: "endpoints" }} title={name} badges={<span className="tag">batch</span>}
      tabs={[
        { key: "summary", name: "Summary", render: () => <EndpointSummary name={name} endpoint={endpoint} found={found} isDefault={isDefault} /> },
        { key: "jobs", name: "Jobs", render: () => <InvokedJobs path={path} name={name} /> },
        { key: "invoke", name: "Invoke", render: () => (found.data ? <InvokeTab name={name} deployments={found.data} isDefault={isDefault} /> : <Loading what="the deployments" />) },
      ]}
    />
  );
}

interface SummaryProps {
  name: string;
  endpoint: BatchEndpoint;
  found: Query<Deployments>;
  isDefault: (deployment: string) => boolean;
}

function EndpointSummary({ name, endpoint, found, isDefault }: SummaryProps) {
  return (
    <div className="summary">
      <Panel title="Endpoint">
        {endpoint.description && <p className="described">{endpoint.description}</p>}
        <Facts facts={[["Address", <code key="a">{endpoint.scoringUri}</code>], ["Default", endpoint.defaults?.deploymentName]]} />
      </Panel>
      <Panel title="Deployments">
        {found.error && <ErrorMessage error={found.error} retry={found.reload} />}
        {found.data && !found.data.length && <><p className="muted">None yet.</p><pre className="answer">smalt batch-deployment create --file deployment.yml --set-default</pre></>}
        {found.data && found.data.length > 0 && (
          <div className="table-scroll" tabIndex={0} role="region" aria-label="Deployments">
            <table>
              <thead><tr><th>Deployment</th><th>Runs</th><th>Description</th></tr></thead>
              <tbody>
                {found.data.map(({ name: deployment, properties }) => (
                  <tr key={deployment}><td><strong>{deployment}</strong>{isDefault(deployment) && <span className="tag">default</span>}</td><td><Content properties={properties} /></td><td>{properties.description}</td></tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </Panel>
      <CommandBlock title="On the command line" text={`smalt batch-endpoint show --name ${name}\nsmalt batch-endpoint list-jobs --name ${name}\nsmalt batch-endpoint invoke --name ${name} --input FOLDER`} />
    </div>
  );
}

function Content({ properties }: { properties: BatchDeployment }) {
  const component = properties.deploymentConfiguration?.componentId?.assetId;
  if (component) return <AssetLink kind="components" id={component} />;
  const model = properties.model?.assetId ?? properties.model?.path;
  return model ? <AssetLink kind="models" id={model} /> : null;
}

function InvokedJobs({ path, name }: { path: string; name: string }) {
  const api = useApi();
  const found = useQuery(`${api.own} ${path} jobs`, () => get<{ value: InvokedJob[]; nextLink?: string }>(`${api.workspace.id}/${path}/jobs`, { $top: MOST_JOBS }));
  if (found.error) return <div className="wide-content"><ErrorMessage error={found.error} retry={found.reload} /></div>;
  if (!found.data) return <Loading what="the jobs" />;
  const jobs = found.data.value;
  if (!jobs.length) return <p className="muted none">It was not invoked yet.</p>;
  return (
    <div className="wide-content">
      <ListTable
        label="Jobs of invocations" rows={jobs} getKey={(job) => job.name}
        columns={[
          { name: "Job", look: "main", render: (job) => <span className="name-cell"><Link to={buildPath(api.workspace.folder, "jobs", job.name)}>{job.properties.displayName ?? job.name}</Link></span> },
          { name: "Deployment", look: "wide", render: (job) => <span className="muted">{job.properties.deploymentName}</span> },
          { name: "State", render: (job) => <StateBadge state={job.properties.status} /> },
        ]}
      />
      {found.data.nextLink && <p className="muted">The newest {jobs.length} are shown; all of them: smalt batch-endpoint list-jobs --name {name}</p>}
    </div>
  );
}
