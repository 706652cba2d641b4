import { lazy, Suspense } from "react";
import type { Version } from "../../api/resources";
import { CommandBlock } from "../../job/CommandBlock";
import { useApi } from "../../shell/context";
import { Link } from "../../shell/Link";
import { Loading } from "../../shell/messages";
import { buildPath, usePlace } from "../../shell/router";
import { Panel } from "../detail/Facts";
import { FilesTab } from "../detail/FilesTab";
import { VersionFacts, VersionPage } from "../detail/VersionPage";
import { YamlPanel } from "../detail/YamlPanel";
import { AssetListPage } from "../list/AssetListPage";
import { MlModelPanel } from "./MlModelPanel";

const LineageTab = lazy(() => import("../lineage/LineageTab"));

export default function ModelPages() {
  const { rest } = usePlace();
  if (!rest.length) {
    return (
      <AssetListPage
        kind="models" title="Models" noun="model" icon="model"
        empty={<><p>A model is registered from a folder, from a job's output, or by MLflow.</p><pre>smalt model create --name NAME --path azureml://jobs/JOB/outputs/model</pre></>}
      />
    );
  }
  return (
    <VersionPage
      kind="models" list="Models"
      makeTabs={(version, name) => [
        { key: "summary", name: "Summary", render: () => <ModelSummary version={version} name={name} /> },
        { key: "files", name: "Files", render: () => <FilesTab kind="models" name={name} version={version.name} /> },
        { key: "lineage", name: "Lineage", render: () => <Suspense fallback={<Loading what="the lineage" />}><LineageTab kind="models" name={name} version={version.name} /></Suspense> },
      ]}
    />
  );
}

function ModelSummary({ version, name }: { version: Version; name: string }) {
  const api = useApi();
  const { properties } = version;
  const type = String(properties.modelType ?? "custom_model");
  const job = typeof properties.jobName === "string" ? properties.jobName : null;
  const flavours = Object.keys((properties.flavors ?? {}) as object);
  return (
    <div className="summary">
      <Panel title="This version">
        <VersionFacts
          version={version}
          facts={[
            ["Type", type.replaceAll("_", " ")],
            ["Stage", typeof properties.stage === "string" ? properties.stage : null],
            ["Flavours", type === "mlflow_model" ? null : flavours.join(", ")],
            ["Made by", job && <Link to={buildPath(api.workspace.folder, "jobs", job)}>{job}</Link>],
            ["Path", <code key="p">{String(properties.modelUri ?? "")}</code>],
          ]}
        />
      </Panel>
      {type === "mlflow_model" && <MlModelPanel name={name} version={version.name} />}
      <CommandBlock title="As an input of a job" text={`inputs:\n  model:\n    type: ${type}\n    path: azureml:${name}:${version.name}`} />
      <YamlPanel kind="models" name={name} version={version.name} />
      <CommandBlock title="On the command line" text={`smalt model show --name ${name} --version ${version.name}\nsmalt model download --name ${name} --version ${version.name}`} />
    </div>
  );
}
