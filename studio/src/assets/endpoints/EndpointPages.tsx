import { listResources, type Resource } from "../../api/resources";
import { useQuery } from "../../api/useQuery";
import { useApi } from "../../shell/context";
import { Link } from "../../shell/Link";
import { buildPath, usePlace } from "../../shell/router";
import { ResourceList } from "../list/ResourceList";
import { BatchEndpointPage } from "./BatchEndpointPage";
import { OnlineEndpointPage } from "./OnlineEndpointPage";
import type { BatchEndpoint, OnlineEndpoint } from "./types";

interface Row {
  kind: "online" | "batch";
  name: string;
  description: string;
  deployments: string;
}

export default function EndpointPages() {
  const { rest } = usePlace();
  if (!rest.length) return <EndpointList />;
  return rest[0] === "online" ? <OnlineEndpointPage name={rest[1]} /> : <BatchEndpointPage name={rest[1]} />;
}

function EndpointList() {
  const api = useApi();
  const found = useQuery(`${api.own} endpoints`, async () => {
    const [online, batch] = await Promise.all([listResources<OnlineEndpoint>(api, "onlineEndpoints"), listResources<BatchEndpoint>(api, "batchEndpoints")]);
    return [...online.value.map(describeOnline), ...batch.value.map(describeBatch)];
  });
  return (
    <ResourceList<Row>
      title="Endpoints" noun="endpoint" icon="endpoint" found={found} getKey={(row) => `${row.kind} ${row.name}`} getText={(row) => `${row.name} ${row.kind} ${row.description} ${row.deployments}`}
      columns={[
        { name: "Name", look: "main", render: (row) => (
          <span className="name-cell">
            <Link to={buildPath(api.workspace.folder, "endpoints", row.kind, row.name)}>{row.name}</Link>
            {row.description && <span className="sub">{row.description}</span>}
          </span>
        ) },
        { name: "Requests go to", look: "wide", render: (row) => <span className="muted">{row.deployments}</span> },
        { name: "Kind", render: (row) => <span className="muted">{row.kind}</span> },
      ]}
      empty={<><p>An endpoint answers under a stable name: an online endpoint each request at once, a batch endpoint by a job.</p><pre>smalt online-endpoint create --file endpoint.yml{"\n"}smalt batch-endpoint create --file endpoint.yml</pre></>}
    />
  );
}

function describeOnline({ name, properties }: Resource<OnlineEndpoint>): Row {
  const traffic = Object.entries(properties.traffic ?? {}).filter(([, share]) => share);
  return { kind: "online", name, description: properties.description ?? "", deployments: traffic.map(([to, share]) => `${to} ${share} %`).join(", ") || "no deployment" };
}

function describeBatch({ name, properties }: Resource<BatchEndpoint>): Row {
  return { kind: "batch", name, description: properties.description ?? "", deployments: properties.defaults?.deploymentName ?? "no deployment" };
}
