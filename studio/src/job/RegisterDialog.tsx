import { useEffect, useRef, useState, type FormEvent } from "react";
import { registerOutput } from "../api/resources";
import { useApi } from "../shell/context";
import { ErrorMessage } from "../shell/messages";
import { buildPath, go } from "../shell/router";
import { explainName } from "./registering";
import "./job.css";

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
  const dialog = useRef<HTMLDialogElement>(null);
  const [fields, setFields] = useState({ name: output, type: types[0], description: "" });
  const [error, setError] = useState<Error | null>(null);
  const [isBusy, setBusy] = useState(false);
  useEffect(() => dialog.current?.showModal(), []);
  useEffect(() => setFields((before) => ({ ...before, type: types[0] })), [types[0]]);
  const set = (key: keyof typeof fields) => (event: { target: { value: string } }) => setFields((before) => ({ ...before, [key]: event.target.value }));
  async function register(event: FormEvent) {
    event.preventDefault();
    const wrong = explainName(fields.name.trim());
    if (wrong) return setError(new Error(wrong));
    setBusy(true);
    try {
      const made = await registerOutput(api, job, output, { ...fields, name: fields.name.trim() });
      onClose();
      go(buildPath(api.workspace.folder, made.kind, fields.name.trim(), made.version));
    } catch (caught) {
      setError(caught as Error);
      setBusy(false);
    }
  }
  return (
    <dialog ref={dialog} className="dialog" aria-labelledby="register-title" onClose={onClose}>
      <form onSubmit={register}>
        <h2 id="register-title">{title}</h2>
        <p className="muted">As the next version of this name. The files stay where the job left them; nothing is copied, and no job can write to them any more.</p>
        <label className="dialog-field"><span>Name</span><input className="field mono" value={fields.name} onChange={set("name")} required /></label>
        {types.length > 1 && <label className="dialog-field"><span>Type</span><select className="field" value={fields.type} onChange={set("type")}>{types.map((one) => <option key={one}>{one}</option>)}</select></label>}
        <label className="dialog-field"><span>Description</span><input className="field" value={fields.description} onChange={set("description")} /></label>
        {error && <ErrorMessage error={error} />}
        <div className="dialog-actions">
          <button type="button" className="button" onClick={() => dialog.current?.close()}>Leave it</button>
          <button className="button primary" disabled={isBusy}>Register</button>
        </div>
      </form>
    </dialog>
  );
}
