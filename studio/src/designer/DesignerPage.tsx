import { useEffect, useMemo, useState } from "react";
import { useApi } from "../shell/context";
import { ErrorMessage, Loading } from "../shell/messages";
import { buildPath, go, usePlace } from "../shell/router";
import { Designer } from "./Designer";
import { findRoot, openCopy, openDraft, openFile } from "./documents";
import { EDITOR } from "./editor";
import { DocumentRoutes } from "./routes";
import { StartPage } from "./StartPage";
import { DesignerStore, type OpenedDocument } from "./store";
import { dropUnsaved, findUnsaved, guardUnsaved, keepUnsaved } from "./unsaved";
import { splitText, type FileText } from "./yaml/encoding";
import "./designer.css";

const EMPTY = "$schema: https://azuremlschemas.azureedge.net/latest/pipelineJob.schema.json\ntype: pipeline\n";
/** What an address may name, the first that it has. */
const FROM = ["file", "draft", "new", "upload", "job", "component"] as const;
window.addEventListener("beforeunload", guardUnsaved);

export default function DesignerPage() {
  const api = useApi();
  const { query } = usePlace();
  const routes = useMemo(() => new DocumentRoutes(api), [api]);
  const [upload, setUpload] = useState<{ name: string; file: FileText } | null>(null);
  const from = FROM.find((one) => query.has(one));
  const { folder } = api.workspace;
  const named = from ? `${from}=${encodeURIComponent(query.get(from)!)}` : "";
  const key = `${folder}?${named}`;
  const [state, setState] = useState<{ key: string; store?: DesignerStore; error?: Error } | null>(null);

  useEffect(() => {
    if (key.endsWith("?")) return;
    let isCurrent = true;
    const known = findUnsaved(folder, named);
    const opening = known ? Promise.resolve(known) : openDocument(routes, query, upload).then((opened) => new DesignerStore(routes, opened, EDITOR));
    opening.then((store) => isCurrent && setState({ key, store }), (error: Error) => isCurrent && setState({ key, error }));
    return () => {
      isCurrent = false;
    };
  }, [key, routes]);
  useEffect(() => {
    document.title = "Designer · smalt";
  }, []);

  if (key.endsWith("?")) {
    return <StartPage routes={routes} onUpload={(name, file) => { setUpload({ name, file }); dropUnsaved(folder, `upload=${encodeURIComponent(name)}`); go(`${buildPath(folder, "designer")}?upload=${encodeURIComponent(name)}`); }} />;
  }
  if (state?.key !== key) return <Loading what="the pipeline" />;
  if (state.error) return <div className="center"><ErrorMessage error={state.error} retry={() => go(buildPath(api.workspace.folder, "designer"))} /></div>;
  return <Designer key={key} store={state.store!} onLeave={(store) => keepUnsaved(folder, named, store)} onMoved={(to) => { dropUnsaved(folder, named); go(to, { replace: true }); }} />;
}

async function openDocument(routes: DocumentRoutes, query: URLSearchParams, upload: { name: string; file: FileText } | null): Promise<OpenedDocument> {
  const path = query.get("file");
  if (path !== null) return openFile(routes, path);
  const name = query.get("draft");
  if (name !== null) return openDraft(routes, name);
  if (query.has("upload")) {
    if (!upload) throw new Error(`'${query.get("upload")}' was uploaded before this page was loaded; upload it again`);
    return { origin: { kind: "upload", name: upload.name }, file: upload.file, folder: null, positions: {} };
  }
  const [job, component] = [query.get("job"), query.get("component")];
  if (job !== null) return openCopy(routes, "job", job);
  if (component !== null) return openCopy(routes, "component", component.slice(0, component.lastIndexOf(":")), component.slice(component.lastIndexOf(":") + 1));
  return { origin: { kind: "new" }, file: splitText(EMPTY), folder: await findRoot(routes), positions: {} };
}
