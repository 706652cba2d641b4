import { useState, type FormEvent } from "react";
import { send } from "../../api/client";
import { joinPath, type Resource } from "../../api/resources";
import { useApi } from "../../shell/context";
import { ErrorMessage } from "../../shell/messages";
import { tell } from "../../shell/toasts";
import { listChanges, readForm, sumTraffic, type Row } from "./capacity";
import type { OnlineDeployment, OnlineEndpoint } from "./types";

interface Props {
  name: string;
  endpoint: OnlineEndpoint;
  deployments: Resource<OnlineDeployment>[];
  onDone: () => void;
}

const FIELDS = [
  { key: "traffic", title: "Traffic (%)", what: "traffic in percent", least: 0, most: 100 },
  { key: "mirror", title: "Mirrored traffic (%)", what: "mirrored traffic in percent", least: 0, most: 50 },
  { key: "instances", title: "Instances", what: "instances", least: 1, most: 100 },
] as const;

/** Changes the shares of an endpoint's requests, and how many instances of each deployment answer. */
export function CapacityForm({ name, endpoint, deployments, onDone }: Props) {
  const api = useApi();
  const known = readForm(endpoint, deployments);
  const [edited, setEdited] = useState<Record<string, Partial<Row>>>({});
  const [error, setError] = useState<Error | null>(null);
  const [isBusy, setBusy] = useState(false);
  const rows = known.map((row) => ({ ...row, ...edited[row.name] }));
  const changes = listChanges(known, rows);
  const total = sumTraffic(rows);
  const path = `${api.workspace.id}/${joinPath("onlineEndpoints", name)}`;

  async function submit(event: FormEvent) {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      for (const { name: deployment, instances } of changes.scaled) await send("PATCH", `${path}/${joinPath("deployments", deployment)}`, { sku: { name: "Default", capacity: instances } });
      if (changes.shares) await send("PATCH", path, { properties: changes.shares });
      tell(`changed ${name}`);
      setEdited({});
      onDone();
    } catch (caught) {
      setError(caught as Error);
    }
    setBusy(false);
  }

  return (
    <form className="capacity" onSubmit={submit}>
      <table className="plain">
        <thead><tr><th scope="col">Deployment</th>{FIELDS.map(({ key, title }) => <th key={key} scope="col">{title}</th>)}</tr></thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.name}>
              <th scope="row">{row.name}</th>
              {FIELDS.map(({ key, what, least, most }) => (
                <td key={key}>
                  <input className="field number" type="number" min={least} max={most} step={1} required aria-label={`${row.name}: ${what}`} value={Number.isNaN(row[key]) ? "" : row[key]}
                    onChange={(event) => setEdited({ ...edited, [row.name]: { ...edited[row.name], [key]: event.target.valueAsNumber } })} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      <p className={total === 100 || total === 0 ? "muted" : "error-text"} role="status">{total === 100 ? "The shares add up to 100 %." : total === 0 ? "No requests are passed on." : `The shares add up to ${total} %; they must add up to 100, or all be 0.`}</p>
      {error && <ErrorMessage error={error} />}
      <div className="dialog-actions">
        <button type="button" className="button" disabled={isBusy || !Object.keys(edited).length} onClick={() => setEdited({})}>Reset</button>
        <button className="button primary" disabled={isBusy || !(changes.shares || changes.scaled.length) || (total !== 100 && total !== 0)}>{isBusy ? "Waiting" : "Change"}</button>
      </div>
    </form>
  );
}
