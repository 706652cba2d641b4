import { joinPath, listResources } from "../../api/resources";
import { useQuery } from "../../api/useQuery";
import { CommandBlock } from "../../job/CommandBlock";
import { useApi } from "../../shell/context";
import { ErrorMessage } from "../../shell/messages";
import { DetailPage } from "../detail/DetailPage";
import { Facts, Panel } from "../detail/Facts";
import { ResourceLoader } from "../detail/ResourceLoader";
import { shortenReference } from "../detail/versions";
import type { OnlineDeployment, OnlineEndpoint } from "./types";

/** An online endpoint: its deployments and their traffic. */
export function OnlineEndpointPage({ name }: { name: string }) {
  const path = joinPath("onlineEndpoints", name);
  return (
    <ResourceLoader<OnlineEndpoint> path={path}>
      {({ properties }) => (
        <DetailPage
          list={{ name: "Endpoints", path: "endpoints" }} title={name} badges={<span className="tag">online</span>}
          tabs={[{
            key: "summary", name: "Summary", render: () => (
              <div className="summary">
                <Panel title="Endpoint">
                  {properties.description && <p className="described">{properties.description}</p>}
                  <Facts facts={[["Address", <code key="a">{properties.scoringUri}</code>], ["Opened by", properties.authMode]]} />
                </Panel>
                <Deployments path={path} endpoint={properties} />
                <CommandBlock title="On the command line" text={`smalt online-endpoint show --name ${name}\nsmalt online-endpoint invoke --name ${name} --request-file sample.json`} />
              </div>
            ),
          }]}
        />
      )}
    </ResourceLoader>
  );
}

function Deployments({ path, endpoint }: { path: string; endpoint: OnlineEndpoint }) {
  const api = useApi();
  const found = useQuery(`${api.own} ${path} deployments`, () => listResources<OnlineDeployment>(api, `${path}/deployments`));
  return (
    <Panel title="Deployments">
      {found.error && <ErrorMessage error={found.error} retry={found.reload} />}
      {found.data && !found.data.value.length && <p className="muted">None yet. smalt online-deployment create --file deployment.yml</p>}
      {found.data && found.data.value.length > 0 && (
        <table className="plain">
          <thead><tr><th>Deployment</th><th>State</th><th>Traffic</th><th>Model</th></tr></thead>
          <tbody>
            {found.data.value.map(({ name, properties }) => (
              <tr key={name}><td>{name}</td><td>{properties.provisioningState}</td><td>{endpoint.traffic?.[name] ?? 0} %</td><td>{properties.model ? <code>{shortenReference(properties.model)}</code> : ""}</td></tr>
            ))}
          </tbody>
        </table>
      )}
    </Panel>
  );
}
