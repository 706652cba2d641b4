import { useState } from "react";
import { FormDialog } from "../shell/FormDialog";
import { FolderList } from "./FolderList";
import type { DesignerStore, Origin } from "./store";

/** Asks where a document is to be saved: as a draft of the workspace, or as a file of the server's folder. */
export function SaveDialog({ store, onSave, onClose }: { store: DesignerStore; onSave: (origin: Origin) => Promise<() => void>; onClose: () => void }) {
  const [kind, setKind] = useState<"draft" | "file">(store.origin.kind === "file" ? "file" : "draft");
  const [name, setName] = useState(store.fileName.replace(/\.ya?ml$/, ""));
  const [folder, setFolder] = useState(store.folder ?? "");
  function save() {
    const file = /\.ya?ml$/.test(name) ? name : `${name}.yml`;
    return onSave(kind === "draft" ? { kind, name, etag: "" } : { kind, path: folder ? `${folder}/${file}` : file, etag: "" });
  }
  return (
    <FormDialog title="Save the pipeline" action="Save" onSubmit={save} onClose={onClose}>
      <div className="segments" role="group" aria-label="Where">
        <button type="button" className="button" aria-pressed={kind === "draft"} onClick={() => setKind("draft")}>A draft of the workspace</button>
        <button type="button" className="button" aria-pressed={kind === "file"} onClick={() => setKind("file")}>A file of the server</button>
      </div>
      {kind === "file" && <div className="save-folder"><FolderList routes={store.routes} folder={folder} onFolder={setFolder} onFile={(path) => setName(path.split("/").at(-1)!)} /></div>}
      <label className="dialog-field"><span>Name</span><input className="field" value={name} onChange={(event) => setName(event.target.value)} required /></label>
    </FormDialog>
  );
}
