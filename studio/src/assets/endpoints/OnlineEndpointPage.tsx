import { useEffect, useState } from "react";
import { send } from "../../api/client";
import { joinPath, listResources, type Resource } from "../../api/resources";
import { useQuery, type Query } from "../../api/useQuery";
import { CommandBlock } from "../../job/CommandBlock";
import { useApi } from "../../shell/context";
import { ErrorMessage, Loading } from "../../shell/messages";
import { DetailPage } from "../detail/DetailPage";
import { Facts, Panel } from "../detail/Facts";
import { ResourceLoader } from "../detail/ResourceLoader";
import { AssetLink } from "../detail/AssetLink";
import { CapacityForm } from "./CapacityForm";
import { TryTab } from "./TryTab";
import type { OnlineDeployment, OnlineEndpoint } from "./types";

const POLL = 1500;
const CHANGING = ["Creating", "Updating"];

type Deployments = Resource<OnlineDeployment>[];

/** An online endpoint: its deployments and their traffic, its log, and a form to try it. */
export function OnlineEndpointPage({ name }: { name: string }) {
  return <ResourceLoader<OnlineEndpoint> path={joinPath("onlineEndpoints", name)}>{({ properties }, reload) => <LoadedEndpoint name={name} endpoint={properties} reload={reload} />}</ResourceLoader>;
}

function LoadedEndpoint({ name, endpoint, reload }: { name: string; endpoint: OnlineEndpoint; reload: () => void }) {
  const api = useApi();
  const path = joinPath("onlineEndpoints", name);
  const found = useQuery(`${api.own} ${path} deployments`, async () => (await listResources<OnlineDeployment>(api, `${path}/deployments`)).value);
  const deployments = found.data ?? [];
  const isChanging = deployments.some(({ properties }) => CHANGING.includes(properties.provisioningState ?? ""));
  useEffect(() => {
    if (!isChanging) return;
    const timer = setInterval(() => document.visibilityState === "visible" && found.reload(), POLL);
    return () => clearInterval(timer);
  }, [isChanging, found.reload]);
  return (
    <DetailPage
      list={{ name: "Endpoints", path: "endpoints" }} title={name} badges={<span className="tag">online</span>}
      tabs={[
        { key: "summary", name: "Summary", render: () => <EndpointSummary name={name} endpoint={endpoint} found={found} onChange={() => { reload(); found.reload(); }} /> },
        { key: "try", name: "Try it", render: () => (found.data && !deployments.length ? <p className="muted none">It has no deployment yet, which would answer.</p> : <TryTab name={name} endpoint={endpoint} deployments={deployments} />) },
        { key: "log", name: "Log", render: () => <DeploymentLogs path={path} deployments={deployments} /> },
      ]}
    />
  );
}

function EndpointSummary({ name, endpoint, found, onChange }: { name: string; endpoint: OnlineEndpoint; found: Query<Deployments>; onChange: () => void }) {
  const mirror = Object.entries(endpoint.mirrorTraffic ?? {}).filter(([, share]) => share);
  return (
    <div className="summary">
      <Panel title="Endpoint">
        {endpoint.description && <p className="described">{endpoint.description}</p>}
        <Facts facts={[
          ["Address", <code key="a">{endpoint.scoringUri}</code>],
          ["Opened by", { key: "one of its keys", amltoken: "a token of its own", aadtoken: "a token of the workspace" }[(endpoint.authMode ?? "Key").toLowerCase()] ?? endpoint.authMode],
          ["Copies of requests", mirror.map(([to, share]) => `${share} % to ${to}`).join(", ")],
        ]} />
      </Panel>
      <Panel title="Deployments">
        {found.error && <ErrorMessage error={found.error} retry={found.reload} />}
        {found.data && !found.data.length && <><p className="muted">None yet, so nothing answers.</p><pre className="answer">smalt online-deployment create --file deployment.yml --all-traffic</pre></>}
        {found.data && found.data.length > 0 && <DeploymentTable deployments={found.data} traffic={endpoint.traffic ?? {}} />}
      </Panel>
      {found.data && found.data.length > 0 && <Panel title="Traffic and instances"><CapacityForm name={name} endpoint={endpoint} deployments={found.data} onDone={onChange} /></Panel>}
      <CommandBlock title="On the command line" text={`smalt online-endpoint show --name ${name}\nsmalt online-endpoint get-credentials --name ${name}\nsmalt online-endpoint update --name ${name} --traffic "blue=90 green=10"\nsmalt online-endpoint invoke --name ${name} --request-file sample.json`} />
    </div>
  );
}

const LOOKS: Record<string, string> = { Succeeded: "completed", Failed: "failed", Creating: "running", Updating: "running" };

function DeploymentTable({ deployments, traffic }: { deployments: Deployments; traffic: Record<string, number> }) {
  return (
    <div className="table-scroll" tabIndex={0} role="region" aria-label="Deployments">
      <table>
        <thead><tr><th>Deployment</th><th>State</th><th>Traffic</th><th>Instances</th><th>Model</th><th>Environment</th></tr></thead>
        <tbody>
          {deployments.map(({ name, sku, properties }) => {
            const share = traffic[name] ?? 0;
            return (
              <tr key={name}>
                <td><strong>{name}</strong></td>
                <td><span className={`badge look-${LOOKS[properties.provisioningState ?? ""] ?? "waiting"}`}>{properties.provisioningState ?? "unknown"}</span></td>
                <td><span className="share"><span className="share-bar" aria-hidden="true"><span style={{ width: `${share}%` }} /></span><span className="number">{share} %</span></span></td>
                <td className="number">{sku?.capacity ?? 1}</td>
                <td>{properties.model ? <AssetLink kind="models" id={String(properties.model)} /> : "–"}</td>
                <td>{properties.environmentId ? <AssetLink kind="environments" id={properties.environmentId} /> : "the model's own"}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function DeploymentLogs({ path, deployments }: { path: string; deployments: Deployments }) {
  const api = useApi();
  const [chosen, setChosen] = useState<string | null>(null);
  const name = chosen ?? deployments[0]?.name;
  const found = useQuery(name ? `${api.own} ${path} ${name} log` : null, () => send<{ content: string }>("POST", `${api.workspace.id}/${path}/${joinPath("deployments", name)}/getLogs`, { containerType: "InferenceServer", tail: 400 }));
  if (!name) return <p className="muted none">It has no deployment yet, and so no log.</p>;
  return (
    <div className="wide-content">
      <div className="choice-bar">
        {deployments.map((one) => <button key={one.name} className="button small" aria-pressed={one.name === name} onClick={() => setChosen(one.name)}>{one.name}</button>)}
        <button className="button small" onClick={found.reload}>Look again</button>
      </div>
      <p className="muted">Its last lines: what its processes say, the requests that they answered among it. smalt stores no requests and no answers.</p>
      {found.error && <ErrorMessage error={found.error} retry={found.reload} />}
      {found.data ? <pre className="answer log-lines" tabIndex={0}>{found.data.content}</pre> : !found.error && <Loading what="the log" />}
    </div>
  );
}

