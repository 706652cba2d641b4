import type { Version } from "../../api/resources";
import { CommandBlock } from "../../job/CommandBlock";
import { usePlace } from "../../shell/router";
import { Panel } from "../detail/Facts";
import { UsersPanel } from "../detail/UsersPanel";
import { VersionFacts, VersionPage } from "../detail/VersionPage";
import { YamlPanel } from "../detail/YamlPanel";
import { AssetListPage } from "../list/AssetListPage";
import { BuildPanel } from "./BuildPanel";

export default function EnvironmentPages() {
  const { rest } = usePlace();
  if (rest.length) return <VersionPage kind="environments" list="Environments" makeTabs={(version, name) => [{ key: "summary", name: "Summary", render: () => <EnvironmentSummary version={version} name={name} /> }]} />;
  return (
    <AssetListPage
      kind="environments" title="Environments" noun="environment" icon="environment"
      empty={<><p>An environment is what a command runs in: packages, an image, or both.</p><pre>smalt environment create --name NAME --conda-file conda.yml --image IMAGE</pre></>}
    />
  );
}

function EnvironmentSummary({ version, name }: { version: Version; name: string }) {
  const { properties } = version;
  const build = properties.build as { contextUri?: string; dockerfilePath?: string } | null | undefined;
  return (
    <div className="summary">
      <Panel title="This version">
        <VersionFacts
          version={version}
          facts={[
            ["Image", properties.image ? <code key="i">{String(properties.image)}</code> : null],
            ["Dockerfile", build ? <code key="d">{build.dockerfilePath}</code> : null],
            ["Build context", build ? <code key="b">{build.contextUri}</code> : null],
          ]}
        />
      </Panel>
      <BuildPanel name={name} version={version.name} />
      {typeof properties.condaFile === "string" && <CommandBlock title="Conda file" text={properties.condaFile} />}
      <UsersPanel kind="environments" name={name} version={version.name} />
      <CommandBlock title="In a job" text={`environment: azureml:${name}:${version.name}`} />
      {name !== "host" && <YamlPanel kind="environments" name={name} version={version.name} />}
      <CommandBlock title="On the command line" text={`smalt environment show --name ${name} --version ${version.name}`} />
    </div>
  );
}
