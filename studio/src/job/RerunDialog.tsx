import { useEffect, useRef, useState, type FormEvent } from "react";
import { useQuery } from "../api/useQuery";
import { useApi } from "../shell/context";
import { ErrorMessage } from "../shell/messages";
import { buildPath, go } from "../shell/router";
import { createName } from "./names";

/** Asks for the inputs of another run of a job, and starts it. */
export function RerunDialog({ name, onClose }: { name: string; onClose: () => void }) {
  const api = useApi();
  const dialog = useRef<HTMLDialogElement>(null);
  const ports = useQuery(`${api.own} ${name} rerun`, () => api.getPorts(name));
  const [changes, setChanges] = useState<Record<string, string>>({});
  const [error, setError] = useState<Error | null>(null);
  const [isBusy, setBusy] = useState(false);
  useEffect(() => dialog.current?.showModal(), []);
  async function submit(event: FormEvent) {
    event.preventDefault();
    setBusy(true);
    try {
      const made = await api.rerunJob(name, { name: createName(), inputs: changes });
      onClose();
      go(buildPath(api.workspace.folder, "jobs", made.name));
    } catch (caught) {
      setError(caught as Error);
      setBusy(false);
    }
  }
  const inputs = ports.data?.inputs ?? [];
  return (
    <dialog ref={dialog} className="dialog" aria-labelledby="rerun-title" onClose={onClose}>
      <form onSubmit={submit}>
        <h2 id="rerun-title">Run it again</h2>
        <p className="muted">{inputs.length ? "Change what should be different. Steps that stay the same are reused." : "As it was submitted. Steps that stay the same are reused."}</p>
        {inputs.map((port) => (
          <label key={port.name} className="dialog-field">
            <span>{port.name} <span className="muted">{port.value === undefined ? port.type.replaceAll("_", " ") : ""}</span></span>
            <input className="field mono" value={changes[port.name] ?? port.value ?? port.uri ?? ""} onChange={(event) => setChanges({ ...changes, [port.name]: event.target.value })} />
          </label>
        ))}
        {(error ?? ports.error) && <ErrorMessage error={(error ?? ports.error)!} />}
        <div className="dialog-actions">
          <button type="button" className="button" onClick={() => dialog.current?.close()}>Leave it</button>
          <button className="button primary" disabled={isBusy}>Run</button>
        </div>
      </form>
    </dialog>
  );
}
