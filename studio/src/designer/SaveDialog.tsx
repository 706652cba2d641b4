import { useEffect, useRef, useState, type FormEvent } from "react";
import { ErrorMessage } from "../shell/messages";
import { FolderList } from "./FolderList";
import type { DesignerStore, Origin } from "./store";
import "../job/job.css";

/** Asks where a document is to be saved: as a draft of the workspace, or as a file of the server's folder. */
export function SaveDialog({ store, onSave, onClose }: { store: DesignerStore; onSave: (origin: Origin) => Promise<void>; onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [kind, setKind] = useState<"draft" | "file">(store.origin.kind === "file" ? "file" : "draft");
  const [name, setName] = useState(store.fileName.replace(/\.ya?ml$/, ""));
  const [folder, setFolder] = useState(store.folder ?? "");
  const [error, setError] = useState<Error | null>(null);
  useEffect(() => dialog.current?.showModal(), []);
  async function save(event: FormEvent) {
    event.preventDefault();
    const file = /\.ya?ml$/.test(name) ? name : `${name}.yml`;
    try {
      await onSave(kind === "draft" ? { kind, name, etag: "" } : { kind, path: folder ? `${folder}/${file}` : file, etag: "" });
    } catch (caught) {
      setError(caught as Error);
    }
  }
  return (
    <dialog ref={dialog} className="dialog" aria-labelledby="save-title" onClose={onClose}>
      <form onSubmit={save}>
        <h2 id="save-title">Save the pipeline</h2>
        <div className="segments" role="group" aria-label="Where">
          <button type="button" className="button" aria-pressed={kind === "draft"} onClick={() => setKind("draft")}>A draft of the workspace</button>
          <button type="button" className="button" aria-pressed={kind === "file"} onClick={() => setKind("file")}>A file of the server</button>
        </div>
        {kind === "file" && <div className="save-folder"><FolderList routes={store.routes} folder={folder} onFolder={setFolder} onFile={(path) => setName(path.split("/").at(-1)!)} /></div>}
        <label className="dialog-field"><span>Name</span><input className="field" value={name} onChange={(event) => setName(event.target.value)} required autoFocus /></label>
        {error && <ErrorMessage error={error} />}
        <div className="dialog-actions">
          <button type="button" className="button" onClick={() => dialog.current?.close()}>Leave it</button>
          <button className="button primary">Save</button>
        </div>
      </form>
    </dialog>
  );
}
