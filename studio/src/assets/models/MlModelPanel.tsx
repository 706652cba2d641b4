import { get } from "../../api/client";
import { joinPath } from "../../api/resources";
import { useQuery } from "../../api/useQuery";
import { useApi } from "../../shell/context";
import { ErrorMessage } from "../../shell/messages";
import { Facts, Panel } from "../detail/Facts";
import { listFields, type MlModel } from "./signature";

/** The flavours and the signature of an MLflow model. */
export function MlModelPanel({ name, version }: { name: string; version: string }) {
  const api = useApi();
  const path = `${api.own}/${joinPath("models", name, "versions", version)}/mlmodel`;
  const found = useQuery(path, () => get<MlModel>(path));
  if (found.error) return <ErrorMessage error={found.error} retry={found.reload} />;
  if (!found.data) return null;
  const { flavors, signature, example, run, mlflow_version: release } = found.data;
  return (
    <>
      <Panel title="MLflow model">
        <Facts facts={[
          ["Flavours", Object.keys(flavors).join(", ")],
          ["Loaded by", typeof flavors.python_function?.loader_module === "string" ? <code key="l">{flavors.python_function.loader_module}</code> : null],
          ["Written by", release && `MLflow ${release}`],
          ["Run", run && <code key="r">{run}</code>],
          ["Input example", example && <code key="e">{example}</code>],
        ]} />
      </Panel>
      {signature ? (["inputs", "outputs", "params"] as const).map((side) => <Schema key={side} title={{ inputs: "It takes", outputs: "It gives", params: "Parameters" }[side]} schema={signature[side]} />) : <p className="muted">The model has no signature: it does not say what it takes and gives.</p>}
    </>
  );
}

function Schema({ title, schema }: { title: string; schema: unknown }) {
  const fields = listFields(schema);
  if (!fields.length) return null;
  return (
    <Panel title={title}>
      <div className="table-scroll" tabIndex={0} role="region" aria-label={title}>
        <table>
          <thead><tr><th>Name</th><th>Type</th><th>Default</th></tr></thead>
          <tbody>{fields.map((field) => <tr key={field.name}><td><strong>{field.name || "–"}</strong>{!field.isRequired && <span className="tag">optional</span>}</td><td>{field.type}</td><td className="mono">{field.default}</td></tr>)}</tbody>
        </table>
      </div>
    </Panel>
  );
}
