import { lazy, Suspense, useState } from "react";
import type { Version } from "../../api/resources";
import { CommandBlock } from "../../job/CommandBlock";
import { Loading } from "../../shell/messages";
import { usePlace } from "../../shell/router";
import { Panel } from "../detail/Facts";
import { FilesTab } from "../detail/FilesTab";
import { VersionFacts, VersionPage } from "../detail/VersionPage";
import { YamlPanel } from "../detail/YamlPanel";
import { UploadDialog } from "./UploadDialog";
import { AssetListPage } from "../list/AssetListPage";

const LineageTab = lazy(() => import("../lineage/LineageTab"));

export default function DataPages() {
  const { rest } = usePlace();
  if (!rest.length) return <DataList />;
  return (
    <VersionPage
      kind="data" list="Data"
      makeTabs={(version, name) => [
        { key: "summary", name: "Summary", render: () => <DataSummary version={version} name={name} /> },
        { key: "files", name: "Files", render: () => <FilesTab kind="data" name={name} version={version.name} /> },
        { key: "lineage", name: "Lineage", render: () => <Suspense fallback={<Loading what="the lineage" />}><LineageTab kind="data" name={name} version={version.name} /></Suspense> },
      ]}
    />
  );
}

function DataList() {
  const [isUploading, setUploading] = useState(false);
  const open = () => setUploading(true);
  return (
    <>
      <AssetListPage
        kind="data" title="Data" noun="data asset" icon="data"
        actions={<button className="button" onClick={open}>Upload…</button>}
        empty={<><p>Register files under a name, and jobs can use them by it, version by version: upload them here, or on the command line:</p><pre>smalt data create --name NAME --path FOLDER --type uri_folder</pre></>}
      />
      {isUploading && <UploadDialog onClose={() => setUploading(false)} />}
    </>
  );
}

function DataSummary({ version, name }: { version: Version; name: string }) {
  const type = String(version.properties.dataType ?? "uri_folder");
  return (
    <div className="summary">
      <Panel title="This version">
        <VersionFacts version={version} facts={[["Type", type.replaceAll("_", " ")], ["Path", <code key="p">{String(version.properties.dataUri ?? "")}</code>]]} />
      </Panel>
      <CommandBlock title="As an input of a job" text={`inputs:\n  data:\n    type: ${type}\n    path: azureml:${name}:${version.name}`} />
      <YamlPanel kind="data" name={name} version={version.name} />
      <CommandBlock title="On the command line" text={`smalt data show --name ${name} --version ${version.name}\nsmalt data lineage --name ${name} --version ${version.name}`} />
    </div>
  );
}
