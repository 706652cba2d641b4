import { useEffect, useState } from "react";
import { registerOutput } from "../api/resources";
import { useApi } from "../shell/context";
import { FormDialog } from "../shell/FormDialog";
import { buildPath, go } from "../shell/router";
import { explainName } from "./registering";

interface Props {
  job: string;
  output: string;
  /** What the output may be registered as, the likeliest first. */
  types: string[];
  title: string;
  onClose: () => void;
}

/** Registers an output of a job as a model or as data, and opens the page of the new version. */
export function RegisterDialog({ job, output, types, title, onClose }: Props) {
  const api = useApi();
  const [fields, setFields] = useState({ name: output, type: types[0], description: "" });
  useEffect(() => setFields((before) => ({ ...before, type: types[0] })), [types[0]]);
  const set = (key: keyof typeof fields) => (event: { target: { value: string } }) => setFields((before) => ({ ...before, [key]: event.target.value }));
  async function register() {
    const wrong = explainName(fields.name.trim());
    if (wrong) throw new Error(wrong);
    const made = await registerOutput(api, job, output, { ...fields, name: fields.name.trim() });
    return () => go(buildPath(api.workspace.folder, made.kind, fields.name.trim(), made.version));
  }
  return (
    <FormDialog title={title} action="Register" onSubmit={register} onClose={onClose}>
      <p className="muted">As the next version of this name. The files stay where the job left them; nothing is copied, and no job can write to them any more.</p>
      <label className="dialog-field"><span>Name</span><input className="field mono" value={fields.name} onChange={set("name")} required /></label>
      {types.length > 1 && <label className="dialog-field"><span>Type</span><select className="field" value={fields.type} onChange={set("type")}>{types.map((one) => <option key={one}>{one}</option>)}</select></label>}
      <label className="dialog-field"><span>Description</span><input className="field" value={fields.description} onChange={set("description")} /></label>
    </FormDialog>
  );
}
