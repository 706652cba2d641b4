import { useState } from "react";
import { useQuery } from "../api/useQuery";
import { useApi } from "../shell/context";
import { FormDialog } from "../shell/FormDialog";
import { buildPath, go } from "../shell/router";
import { createName } from "./names";

interface Props {
  name: string;
  /** The step that is to run by itself; none runs the whole job. */
  only?: string;
  onClose: () => void;
}

/** Asks for the inputs of another run of a job or of one step, and starts it. */
export function RerunDialog({ name, only, onClose }: Props) {
  const api = useApi();
  const ports = useQuery(`${api.own} ${name} rerun`, () => api.getPorts(name));
  const [changes, setChanges] = useState<Record<string, string>>({});
  async function submit() {
    const made = await api.rerunJob(name, { name: createName(), inputs: changes, ...(only === undefined ? {} : { only: true }) });
    return () => go(buildPath(api.workspace.folder, "jobs", made.name));
  }
  const inputs = ports.data?.inputs ?? [];
  return (
    <FormDialog title={only === undefined ? "Run it again" : `Run only ${only}`} action="Run" onSubmit={submit} onClose={onClose} error={ports.error}>
      <p className="muted">{only !== undefined ? "A new job of this step alone, with the inputs that it had. Its outputs have places of their own." : inputs.length ? "Change what should be different. Steps that stay the same are reused." : "As it was submitted. Steps that stay the same are reused."}</p>
      {inputs.map((port) => (
        <label key={port.name} className="dialog-field">
          <span>{port.name} <span className="muted">{port.value === undefined ? port.type.replaceAll("_", " ") : ""}</span></span>
          <input className="field mono" value={changes[port.name] ?? port.value ?? port.uri ?? ""} onChange={(event) => setChanges({ ...changes, [port.name]: event.target.value })} />
        </label>
      ))}
    </FormDialog>
  );
}
