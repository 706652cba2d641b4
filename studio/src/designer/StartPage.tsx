import { useEffect, useRef, useState } from "react";
import { useQuery } from "../api/useQuery";
import { useApi } from "../shell/context";
import { Icon } from "../shell/icons";
import { Link } from "../shell/Link";
import { ErrorMessage } from "../shell/messages";
import { buildPath } from "../shell/router";
import { tellError } from "../shell/toasts";
import { useNow } from "../shell/useNow";
import { formatAgo } from "../text/format";
import { FolderList } from "./FolderList";
import { dropUnsaved, listUnsaved, type Unsaved } from "./unsaved";
import type { DocumentRoutes } from "./routes";
import { decodeFile, type FileText } from "./yaml/encoding";

/** Where a drawing begins: from nothing, a draft, a file of the server's folder, or one of this computer. */
export function StartPage({ routes, onUpload }: { routes: DocumentRoutes; onUpload: (name: string, file: FileText) => void }) {
  const api = useApi();
  const now = useNow(60);
  const drafts = useQuery(`${api.own} drafts`, () => routes.listDrafts());
  const [folder, setFolder] = useState("");
  const chooser = useRef<HTMLInputElement>(null);
  const page = buildPath(api.workspace.folder, "designer");
  const [unsaved, setUnsaved] = useState<Unsaved[]>([]);
  useEffect(() => setUnsaved(listUnsaved(api.workspace.folder)), [api]); // a drawing is left after this page is made
  const [fresh] = useState(() => Date.now().toString(36));
  function discard(query: string) {
    dropUnsaved(api.workspace.folder, query);
    setUnsaved(listUnsaved(api.workspace.folder));
  }
  async function upload(file: File | undefined) {
    if (!file) return;
    try {
      onUpload(file.name, decodeFile(new Uint8Array(await file.arrayBuffer())));
    } catch (error) {
      tellError(error);
    }
  }
  async function remove(name: string) {
    try {
      await routes.deleteDraft(name);
      drafts.reload();
    } catch (error) {
      tellError(error);
    }
  }
  return (
    <div className="draw-start">
      <header><h1>Designer</h1><p className="muted">Draw a pipeline, or open one. The drawing is its YAML file.</p></header>
      <div className="start-actions">
        <Link className="button primary" to={`${page}?new=${fresh}`}><Icon name="plus" size={14} />New pipeline</Link>
        <button className="button" onClick={() => chooser.current?.click()}><Icon name="file" size={14} />Upload a file</button>
        <input ref={chooser} type="file" accept=".yml,.yaml" className="visually-hidden" tabIndex={-1} aria-label="A pipeline's YAML file" onChange={(event) => void upload(event.target.files?.[0])} />
      </div>
      {unsaved.length > 0 && (
        <section className="card" aria-labelledby="unsaved-title">
          <h2 id="unsaved-title">Not saved</h2>
          <ul className="start-list">
            {unsaved.map(({ query, store }) => (
              <li key={query}>
                <Link to={`${page}?${query}`}><Icon name="designer" />{store.title}</Link>
                <span className="muted">{store.drawing.steps.length === 1 ? "1 step" : `${store.drawing.steps.length} steps`}</span>
                <button className="button quiet icon small" aria-label={`Discard the changes of ${store.title}`} onClick={() => discard(query)}><Icon name="trash" size={14} /></button>
              </li>
            ))}
          </ul>
        </section>
      )}
      <div className="start-lists">
        <section className="card" aria-labelledby="drafts-title">
          <h2 id="drafts-title">Drafts</h2>
          {drafts.error && <ErrorMessage error={drafts.error} retry={drafts.reload} />}
          {drafts.data?.unreadable.map((sentence) => <ErrorMessage key={sentence} error={new Error(sentence)} />)}
          {drafts.data && !drafts.data.value.length && <p className="muted">None yet. A drawing that is not finished can be saved here, for everyone in the workspace.</p>}
          <ul className="start-list">
            {drafts.data?.value.map((draft) => (
              <li key={draft.name}>
                <Link to={`${page}?draft=${encodeURIComponent(draft.name)}`}><Icon name="designer" />{draft.name}</Link>
                <span className="muted">{formatAgo(draft.modified, now)}</span>
                <button className="button quiet icon small" aria-label={`Delete the draft ${draft.name}`} onClick={() => void remove(draft.name)}><Icon name="trash" size={14} /></button>
              </li>
            ))}
          </ul>
        </section>
        <section className="card" aria-labelledby="files-title">
          <h2 id="files-title">Files of the server</h2>
          <FolderList routes={routes} folder={folder} onFolder={setFolder} hrefOf={(path) => `${page}?file=${encodeURIComponent(path)}`} />
        </section>
      </div>
    </div>
  );
}
