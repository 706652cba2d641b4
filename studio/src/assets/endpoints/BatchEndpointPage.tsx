import { joinPath, listResources } from "../../api/resources";
import { useQuery } from "../../api/useQuery";
import { CommandBlock } from "../../job/CommandBlock";
import { useApi } from "../../shell/context";
import { ErrorMessage } from "../../shell/messages";
import { DetailPage } from "../detail/DetailPage";
import { Facts, Panel } from "../detail/Facts";
import { ResourceLoader } from "../detail/ResourceLoader";
import { shortenReference } from "../detail/versions";
import type { BatchDeployment, BatchEndpoint } from "./types";

/** A batch endpoint: its deployments, and the jobs of its invocations. */
export function BatchEndpointPage({ name }: { name: string }) {
  const path = joinPath("batchEndpoints", name);
  return (
    <ResourceLoader<BatchEndpoint> path={path}>
      {({ properties }) => (
        <DetailPage
          list={{ name: "Endpoints", path: "endpoints" }} title={name} badges={<span className="tag">batch</span>}
          tabs={[{
            key: "summary", name: "Summary", render: () => (
              <div className="summary">
                <Panel title="Endpoint">
                  {properties.description && <p className="described">{properties.description}</p>}
                  <Facts facts={[["Address", <code key="a">{properties.scoringUri}</code>], ["Default", properties.defaults?.deploymentName]]} />
                </Panel>
                <Deployments path={path} endpoint={properties} />
                <CommandBlock title="On the command line" text={`smalt batch-endpoint show --name ${name}\nsmalt batch-endpoint invoke --name ${name} --input FOLDER`} />
              </div>
            ),
          }]}
        />
      )}
    </ResourceLoader>
  );
}

function Deployments({ path, endpoint }: { path: string; endpoint: BatchEndpoint }) {
  const api = useApi();
  const found = useQuery(`${api.own} ${path} deployments`, () => listResources<BatchDeployment>(api, `${path}/deployments`));
  return (
    <Panel title="Deployments">
      {found.error && <ErrorMessage error={found.error} retry={found.reload} />}
      {found.data && !found.data.value.length && <p className="muted">None yet. smalt batch-deployment create --file deployment.yml</p>}
      {found.data && found.data.value.length > 0 && (
        <table className="plain">
          <thead><tr><th>Deployment</th><th>Runs</th></tr></thead>
          <tbody>
            {found.data.value.map(({ name, properties }) => (
              <tr key={name}>
                <td>{name}{endpoint.defaults?.deploymentName === name && <span className="tag">default</span>}</td>
                <td><code>{shortenReference(properties.deploymentConfiguration?.componentId?.assetId ?? properties.model?.assetId ?? properties.model?.path ?? "")}</code></td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Panel>
  );
}
