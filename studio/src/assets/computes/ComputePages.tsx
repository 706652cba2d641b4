import { joinPath, listResources, type Resource } from "../../api/resources";
import { useQuery } from "../../api/useQuery";
import { CommandBlock } from "../../job/CommandBlock";
import { useApi } from "../../shell/context";
import { Link } from "../../shell/Link";
import { buildPath, usePlace } from "../../shell/router";
import { DetailPage } from "../detail/DetailPage";
import { Facts, Panel } from "../detail/Facts";
import { ResourceLoader } from "../detail/ResourceLoader";
import { ResourceList } from "../list/ResourceList";
import { SlotsPanel } from "./SlotsPanel";

interface ComputeProperties {
  computeType?: string;
  description?: string | null;
  properties?: { vmSize?: string; state?: string };
}

type Compute = Resource<ComputeProperties>;

export default function ComputePages() {
  const { rest } = usePlace();
  return rest.length ? <ComputePage name={rest[0]} /> : <ComputeList />;
}

function ComputeList() {
  const api = useApi();
  const found = useQuery(`${api.own} computes`, async () => (await listResources<ComputeProperties>(api, "computes")).value);
  return (
    <ResourceList<Compute>
      title="Computes" noun="compute" icon="compute" found={found} getKey={(one) => one.name} getText={(one) => `${one.name} ${one.properties.description ?? ""}`}
      columns={[
        { name: "Name", look: "main", render: (one) => (
          <span className="name-cell">
            <Link to={buildPath(api.workspace.folder, "computes", one.name)}>{one.name}</Link>
            {one.properties.description && <span className="sub">{one.properties.description}</span>}
          </span>
        ) },
        { name: "Size", look: "wide", render: (one) => <span className="muted">{one.properties.properties?.vmSize}</span> },
        { name: "Type", render: (one) => <span className="muted">{one.properties.computeType}</span> },
      ]}
      empty={<pre>smalt compute create --name NAME --type amlcompute</pre>}
    />
  );
}

function ComputePage({ name }: { name: string }) {
  return (
    <ResourceLoader<ComputeProperties> path={joinPath("computes", name)}>
      {({ properties }) => (
        <DetailPage
          list={{ name: "Computes", path: "computes" }} title={name}
          tabs={[{
            key: "summary", name: "Summary", render: () => (
              <div className="summary">
                <Panel title="Compute">
                  {properties.description && <p className="described">{properties.description}</p>}
                  <Facts facts={[["Type", properties.computeType], ["Size", properties.properties?.vmSize], ["State", properties.properties?.state]]} />
                </Panel>
                <SlotsPanel name={name} />
                <CommandBlock title="In a job" text={`compute: azureml:${name}`} />
                <CommandBlock title="On the command line" text={`smalt compute show --name ${name}`} />
              </div>
            ),
          }]}
        />
      )}
    </ResourceLoader>
  );
}
