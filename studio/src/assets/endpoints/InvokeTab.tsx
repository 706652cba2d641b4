import { useState, type FormEvent } from "react";
import { ApiError, request } from "../../api/client";
import { getVersion, joinPath, type Resource } from "../../api/resources";
import { useQuery } from "../../api/useQuery";
import { useApi } from "../../shell/context";
import { ErrorMessage } from "../../shell/messages";
import { buildPath, go } from "../../shell/router";
import { listPorts, type ComponentPort } from "../components/ports";
import { parseOwnReference } from "../detail/versions";
import { buildInvocation, isData, listMissing } from "./invocation";
import type { BatchDeployment } from "./types";

const MODEL_PORTS: ComponentPort[] = [{ name: "data", type: "uri_folder", isOptional: false, default: "", description: "The data to score: a folder's URI or a data asset.", limits: "" }];

interface Props {
  name: string;
  deployments: Resource<BatchDeployment>[];
  isDefault: (deployment: string) => boolean;
}

/** A form that invokes a batch endpoint; its job opens. */
export function InvokeTab({ name, deployments, isDefault }: Props) {
  const api = useApi();
  const [chosen, setChosen] = useState(() => (deployments.find((one) => isDefault(one.name)) ?? deployments[0])?.name ?? "");
  const [values, setValues] = useState<Record<string, string>>({});
  const [error, setError] = useState<Error | null>(null);
  const [isBusy, setBusy] = useState(false);
  const deployment = deployments.find((one) => one.name === chosen);
  const component = deployment?.properties.deploymentConfiguration?.componentId?.assetId;
  const found = useQuery(component ? `${api.own} ${component}` : null, () => loadInputs(component!));
  const ports = component ? (found.data ?? []) : MODEL_PORTS;

  async function loadInputs(id: string): Promise<ComponentPort[]> {
    const [own, version] = parseOwnReference(id) ?? [];
    if (!own || !version) return [];
    const { properties } = await getVersion(api, "components", own, version);
    return listPorts((properties.componentSpec as { inputs?: unknown } | undefined)?.inputs);
  }

  async function submit(event: FormEvent) {
    event.preventDefault();
    const missing = listMissing(ports, values);
    if (missing.length) {
      setError(new ApiError(0, `give a value for ${missing.join(", ")}`));
      return;
    }
    setBusy(true);
    setError(null);
    try {
      const headers = { "content-type": "application/json", "azureml-model-deployment": chosen };
      const answer = await request(`${api.workspace.id}/${joinPath("batchEndpoints", name)}/jobs`, { method: "POST", headers, body: JSON.stringify(buildInvocation(ports, values)) });
      const made = (await answer.json()) as { name: string };
      go(buildPath(api.workspace.folder, "jobs", made.name));
    } catch (caught) {
      setError(caught as Error);
      setBusy(false);
    }
  }

  if (!deployments.length) return <p className="muted none">It has no deployment yet, which would run.</p>;
  return (
    <div className="summary">
      <form className="card panel" onSubmit={submit}>
        <h2>Invoke it</h2>
        <label className="dialog-field">
          <span>Deployment</span>
          <select className="field" value={chosen} onChange={(event) => setChosen(event.target.value)}>
            {deployments.map((one) => <option key={one.name} value={one.name}>{one.name}{isDefault(one.name) ? " (default)" : ""}</option>)}
          </select>
        </label>
        {ports.map((port) => (
          <label key={port.name} className="dialog-field">
            <span>{port.name} <span className="muted">{[port.type.replaceAll("_", " "), port.isOptional ? "optional" : "", port.limits, port.description].filter(Boolean).join(", ")}</span></span>
            <input className="field mono" value={values[port.name] ?? ""} placeholder={port.default || (isData(port) ? "azureml:NAME:VERSION or azureml://datastores/…" : "")} onChange={(event) => setValues({ ...values, [port.name]: event.target.value })} />
          </label>
        ))}
        {found.error && <ErrorMessage error={found.error} retry={found.reload} />}
        {error && <ErrorMessage error={error} />}
        <div className="dialog-actions"><button className="button primary" disabled={isBusy}>Invoke</button></div>
      </form>
    </div>
  );
}
