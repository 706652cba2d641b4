import type { Snapshot, SnapshotFile } from "../api/types";
import type { WorkspaceApi } from "../api/workspace";
import type { CodeFile, FileChange } from "./diff";

/** The files of a code, and where each is read. */
export interface CodeSnapshot {
  files: CodeFile[];
  buildUrl: (path: string) => string;
}

/** The code with a hash among those of a job. */
export function buildCode(api: WorkspaceApi, job: string, code: { hash: string; files: SnapshotFile[] }): CodeSnapshot {
  return { files: listFiles(code.files), buildUrl: (path) => api.buildCodeFileUrl(job, code.hash, path) };
}

/** The code among those of a snapshot that one job ran. */
export function findCode(api: WorkspaceApi, snapshot: Snapshot | undefined, job: string): CodeSnapshot {
  const found = snapshot?.snapshots.find(({ jobs }) => jobs.includes(job));
  return buildCode(api, job, found ?? { hash: "", files: [] });
}

/** The files of a snapshot; a link counts by where it leads. */
export function listFiles(files: SnapshotFile[]): CodeFile[] {
  return files.map(({ link, hash, ...file }) => ({ ...file, hash: link ?? hash ?? "" }));
}

const KINDS: Record<string, string> = { f: "a file", x: "an executable file", d: "an empty folder" };

/** What a change is besides a change of text: a link, a folder, or another kind of file; null if it is no more. */
export function describeKind({ change, before, after }: FileChange): string | null {
  const [one, two] = [before, after].map((file) => (!file ? null : file.kind === "l" ? `a link to ${file.hash}` : (KINDS[file.kind ?? "f"] ?? "a file")));
  if (one && two && change !== "same") return one === two ? null : `${one} before, ${two} now`;
  const only = one ?? two;
  return only === KINDS.f ? null : only;
}
