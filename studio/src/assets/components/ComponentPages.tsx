import { lazy, Suspense } from "react";
import type { Version } from "../../api/resources";
import { CommandBlock } from "../../job/CommandBlock";
import { useApi } from "../../shell/context";
import { Icon } from "../../shell/icons";
import { Link } from "../../shell/Link";
import { Loading } from "../../shell/messages";
import { buildPath, usePlace } from "../../shell/router";
import { AssetLink } from "../detail/AssetLink";
import type { DetailTab } from "../detail/DetailPage";
import { Panel } from "../detail/Facts";
import { UsersPanel } from "../detail/UsersPanel";
import { VersionFacts, VersionPage } from "../detail/VersionPage";
import { YamlPanel } from "../detail/YamlPanel";
import { AssetListPage } from "../list/AssetListPage";
import { listPorts } from "./ports";

const CodePanel = lazy(() => import("./CodePanel"));

export default function ComponentPages() {
  const { rest } = usePlace();
  if (rest.length) return <VersionPage kind="components" list="Components" makeTabs={makeTabs} />;
  return (
    <AssetListPage
      kind="components" title="Components" noun="component" icon="component"
      empty={<><p>A registered component is a step that any pipeline can use by its name.</p><pre>smalt component create --file component.yml</pre></>}
    />
  );
}

type Spec = Record<string, unknown>;

function makeTabs(version: Version, name: string): DetailTab[] {
  const { code } = (version.properties.componentSpec ?? {}) as Spec;
  return [
    { key: "summary", name: "Summary", render: () => <ComponentSummary version={version} name={name} /> },
    ...(typeof code === "string" && code ? [{ key: "code", name: "Code", render: () => <div className="summary"><Suspense fallback={<Loading what="the code" />}><CodePanel id={code} /></Suspense></div> }] : []),
  ];
}

function ComponentSummary({ version, name }: { version: Version; name: string }) {
  const api = useApi();
  const spec = (version.properties.componentSpec ?? {}) as Spec;
  const text = (key: string) => (typeof spec[key] === "string" ? (spec[key] as string) : "");
  return (
    <div className="summary">
      <Panel title="This version">
        <VersionFacts
          version={{ ...version, properties: { ...version.properties, description: version.properties.description ?? text("description") } }}
          facts={[
            ["Shown as", text("display_name")],
            ["Type", text("type").replaceAll("_", " ")],
            ["Environment", text("environment") && <AssetLink key="e" kind="environments" id={text("environment")} />],
            ["Same inputs, same outputs", spec.is_deterministic === false ? "no: it always runs" : null],
          ]}
        />
      </Panel>
      <Ports title="Inputs" given={spec.inputs} />
      <Ports title="Outputs" given={spec.outputs} />
      {text("command") && <CommandBlock title="Command" text={text("command")} />}
      <UsersPanel kind="components" name={name} version={version.name} />
      <CommandBlock title="As a step of a pipeline" text={`jobs:\n  step:\n    type: ${text("type") || "command"}\n    component: azureml:${name}:${version.name}`} />
      {text("type") === "pipeline" && <p><Link className="button" to={`${buildPath(api.workspace.folder, "designer")}?component=${encodeURIComponent(`${name}:${version.name}`)}`}><Icon name="designer" size={14} />Open in the designer</Link></p>}
      <YamlPanel kind="components" name={name} version={version.name} />
      <CommandBlock title="On the command line" text={`smalt component show --name ${name} --version ${version.name} --output yaml`} />
    </div>
  );
}

function Ports({ title, given }: { title: string; given: unknown }) {
  const ports = listPorts(given);
  if (!ports.length) return null;
  return (
    <Panel title={title}>
      <div className="table-scroll" tabIndex={0} role="region" aria-label={title}>
        <table>
          <thead><tr><th>Name</th><th>Type</th><th>Default</th><th>Allowed</th><th>Description</th></tr></thead>
          <tbody>
            {ports.map((port) => (
              <tr key={port.name}><td><strong>{port.name}</strong>{port.isOptional && <span className="tag">optional</span>}</td><td>{port.type.replaceAll("_", " ")}</td><td className="mono">{port.default}</td><td>{port.limits}</td><td>{port.description}</td></tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}
