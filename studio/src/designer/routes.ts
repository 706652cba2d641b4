import { get, request, send } from "../api/client";
import { getDocument } from "../api/details";
import { buildYamlUrl } from "../api/resources";
import type { WorkspaceApi } from "../api/workspace";
import type { Interfaces } from "./pipeline/drawing";
import type { StepFieldTable } from "./pipeline/step_fields";
import { decodeFile, encodeFile, type FileText } from "./yaml/encoding";

/** A fault of a document; line and column count from 1, and are 0 where nothing says which. */
export interface Problem {
  file: string;
  line: number;
  column: number;
  message: string;
}

export interface Check {
  kind: "job" | "component";
  problems: Problem[];
  warnings: Problem[];
  components: Interfaces;
}

export interface DraftRow {
  name: string;
  folder: string | null;
  modified: number;
  etag: string;
}

export type Positions = Record<string, [number, number]>;
export interface Draft extends DraftRow {
  text: string;
  positions: Positions;
}

export interface FolderItem {
  path: string;
  size: number;
  is_dir: boolean;
}

export interface DocumentBody {
  text: string;
  folder: string | null;
  file: string;
}

/** The routes of documents, drafts and files of one workspace. */
export class DocumentRoutes {
  constructor(readonly api: WorkspaceApi) {}

  check(body: DocumentBody, signal: AbortSignal): Promise<Check> {
    return this.post<Check>("documents/check", body, signal);
  }

  submit<T>(act: string, body: DocumentBody, more: object = {}, signal?: AbortSignal): Promise<T> {
    return this.post<T>("documents/submit", { act, ...body, ...more }, signal);
  }

  async listStepFields(): Promise<Record<string, StepFieldTable>> {
    return (await get<{ value: Record<string, StepFieldTable> }>(`${this.api.own}/documents/step-fields`)).value;
  }

  listFolder(path: string) {
    return get<{ root: string; value: FolderItem[]; nextLink?: string }>(`${this.api.own}/folder/files`, { path });
  }

  async readFile(path: string): Promise<{ file: FileText; etag: string }> {
    const answer = await request(this.filePath(path));
    return { file: decodeFile(new Uint8Array(await answer.arrayBuffer())), etag: answer.headers.get("etag") ?? "" };
  }

  async writeFile(path: string, file: FileText, etag: string | null): Promise<string> {
    const headers: Record<string, string> = etag === null ? { "if-none-match": "*" } : { "if-match": etag };
    const answer = await request(this.filePath(path), { method: "PUT", headers, body: encodeFile(file) });
    return ((await answer.json()) as { etag: string }).etag;
  }

  async readJob(name: string): Promise<string> {
    return (await getDocument(this.api, name, true)).yaml;
  }

  async readComponent(name: string, version: string): Promise<string> {
    return (await request(buildYamlUrl(this.api, "components", name, version))).text();
  }

  listDrafts() {
    return get<{ value: DraftRow[]; unreadable: string[] }>(`${this.api.own}/drafts`);
  }

  readDraft(name: string) {
    return get<Draft>(this.draftPath(name));
  }

  async writeDraft(name: string, body: { text: string; folder: string | null; positions: Positions }, etag: string | null): Promise<string> {
    const headers: Record<string, string> = { "content-type": "application/json", ...(etag === null ? { "if-none-match": "*" } : { "if-match": etag }) };
    const answer = await request(this.draftPath(name), { method: "PUT", headers, body: JSON.stringify(body) });
    return ((await answer.json()) as { etag: string }).etag;
  }

  deleteDraft(name: string) {
    return send<void>("DELETE", this.draftPath(name));
  }

  private filePath(path: string) {
    return `${this.api.own}/folder/file?path=${encodeURIComponent(path)}`;
  }

  private draftPath(name: string) {
    return `${this.api.own}/drafts/${encodeURIComponent(name)}`;
  }

  private async post<T>(path: string, body: unknown, signal?: AbortSignal): Promise<T> {
    const headers = { "content-type": "application/json" };
    const answer = await request(`${this.api.own}/${path}`, { method: "POST", headers, body: JSON.stringify(body), signal });
    return (await answer.json()) as T;
  }
}
