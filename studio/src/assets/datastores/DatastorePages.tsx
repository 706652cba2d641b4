import { buildUrl, get } from "../../api/client";
import { joinPath, listResources, type Resource } from "../../api/resources";
import type { FileItem } from "../../api/types";
import { useQuery } from "../../api/useQuery";
import { FileTree } from "../../files/FileTree";
import { CommandBlock } from "../../job/CommandBlock";
import { useApi } from "../../shell/context";
import { Link } from "../../shell/Link";
import { buildPath, usePlace } from "../../shell/router";
import { DetailPage } from "../detail/DetailPage";
import { Facts, Panel } from "../detail/Facts";
import { ResourceLoader } from "../detail/ResourceLoader";
import { ResourceList } from "../list/ResourceList";
import { describePlace, nameDatastoreType, type DatastoreProperties } from "./places";

type Datastore = Resource<DatastoreProperties>;

export default function DatastorePages() {
  const { rest } = usePlace();
  return rest.length ? <DatastorePage name={rest[0]} /> : <DatastoreList />;
}

function DatastoreList() {
  const api = useApi();
  const found = useQuery(`${api.own} datastores`, async () => (await listResources<DatastoreProperties>(api, "datastores")).value);
  return (
    <ResourceList<Datastore>
      title="Datastores" noun="datastore" icon="store" found={found} getKey={(one) => one.name} getText={(one) => `${one.name} ${one.properties.description ?? ""} ${describePlace(one.properties)}`}
      columns={[
        { name: "Name", look: "main", render: (one) => (
          <span className="name-cell">
            <span><Link to={buildPath(api.workspace.folder, "datastores", one.name)}>{one.name}</Link>{one.properties.isDefault && <span className="tag">default</span>}</span>
            {one.properties.description && <span className="sub">{one.properties.description}</span>}
          </span>
        ) },
        { name: "Place", look: "wide", render: (one) => <code>{describePlace(one.properties)}</code> },
        { name: "Type", render: (one) => <span className="muted">{nameDatastoreType(one.properties.datastoreType)}</span> },
      ]}
      empty={<pre>smalt datastore create --file datastore.yml</pre>}
    />
  );
}

function DatastorePage({ name }: { name: string }) {
  const api = useApi();
  const base = `${api.own}/${joinPath("datastores", name)}`;
  return (
    <ResourceLoader<DatastoreProperties> path={joinPath("datastores", name)}>
      {({ properties, systemData }) => (
        <DetailPage
          list={{ name: "Datastores", path: "datastores" }} title={name} badges={properties.isDefault && <span className="tag">default</span>}
          tabs={[
            {
              key: "files", name: "Files", render: () => (
                <div className="wide-content">
                  <FileTree
                    id={`${api.own} datastore ${name}`} name={name}
                    list={(path) => get<{ value: FileItem[]; nextLink?: string }>(`${base}/list`, { path, $top: 500 })}
                    buildUrl={(path) => buildUrl(`${base}/files/${path.split("/").map(encodeURIComponent).join("/")}`)}
                  />
                </div>
              ),
            },
            {
              key: "summary", name: "Summary", render: () => (
                <div className="summary">
                  <Panel title="Datastore">
                    {properties.description && <p className="described">{properties.description}</p>}
                    <Facts facts={[
                      ["Type", nameDatastoreType(properties.datastoreType)],
                      ["Place", <code key="p">{describePlace(properties)}</code>],
                      ["Credentials", properties.credentials?.credentialsType === "None" ? "none" : properties.credentials?.credentialsType],
                      ["Created by", systemData?.createdBy],
                    ]} />
                  </Panel>
                  <CommandBlock title="In a job" text={`path: azureml://datastores/${name}/paths/FOLDER/FILE`} />
                  <CommandBlock title="On the command line" text={`smalt datastore show --name ${name}\nsmalt datastore ls azureml://datastores/${name}/paths/`} />
                </div>
              ),
            },
          ]}
        />
      )}
    </ResourceLoader>
  );
}
