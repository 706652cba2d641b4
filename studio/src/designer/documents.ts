import { ApiError } from "../api/client";
import { readPositions } from "./memory";
import { Changes } from "./pipeline/changes";
import { isFields } from "./pipeline/step_fields";
import type { DocumentRoutes } from "./routes";
import type { Copy, OpenedDocument, Origin } from "./store";
import { splitText } from "./yaml/encoding";
import { Source } from "./yaml/source";

/** A document that is saved somewhere, and of which each save names the version before it. */
export type SavedOrigin = Extract<Origin, { etag: string }>;

export const folderOf = (path: string) => path.split("/").slice(0, -1).join("/");

export async function openFile(routes: DocumentRoutes, path: string): Promise<OpenedDocument> {
  const { file, etag } = await routes.readFile(path);
  return { origin: { kind: "file", path, etag }, file, folder: folderOf(path), positions: readPositions(routes.api.workspace.folder, path) };
}

export async function openDraft(routes: DocumentRoutes, name: string): Promise<OpenedDocument> {
  const draft = await routes.readDraft(name);
  return { origin: { kind: "draft", name, etag: draft.etag }, file: splitText(draft.text), folder: draft.folder, positions: draft.positions };
}

/** Open a job or a component's version as a document of its own. What it names is in the workspace, by version. */
export async function openCopy(routes: DocumentRoutes, of: Copy["of"], name: string, version = ""): Promise<OpenedDocument> {
  const text = await (of === "job" ? routes.readJob(name) : routes.readComponent(name, version));
  return { origin: { kind: "copy", of, name }, file: splitText(of === "job" ? removeGeneratedName(text, name) : text), folder: await findRoot(routes), positions: {} };
}

/** Remove the display name of a job that nobody gave: it is the job's own name, which a copy has not. */
export function removeGeneratedName(text: string, job: string): string {
  const changes = new Changes(new Source(text));
  const data = changes.source.data;
  if (isFields(data) && data.display_name === job) changes.remove(["display_name"]);
  return changes.source.text;
}

/** The folder of the server's files, below itself; null if it has none. */
export const findRoot = (routes: DocumentRoutes): Promise<string | null> => routes.listFolder("").then(() => "", () => null);

/** Open a document as it is saved now; null if it was removed. */
export async function openAgain(routes: DocumentRoutes, origin: SavedOrigin): Promise<OpenedDocument | null> {
  try {
    return await (origin.kind === "file" ? openFile(routes, origin.path) : openDraft(routes, origin.name));
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}
