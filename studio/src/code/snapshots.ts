import type { Snapshot, SnapshotFile } from "../api/types";
import type { FileChange } from "./diff";

/** The files of the code that one job among those of a snapshot ran. */
export function findFiles(snapshot: Snapshot | undefined, job: string | undefined): SnapshotFile[] {
  return snapshot?.snapshots.find((one) => job !== undefined && one.jobs.includes(job))?.files ?? [];
}

const KINDS: Record<string, string> = { f: "a file", x: "an executable file", d: "an empty folder" };

/** What a change is besides a change of text: a link, a folder, or another kind of file; null if it is no more. */
export function describeKind({ before, after }: FileChange): string | null {
  const [one, two] = [before, after].map((file) => (!file ? null : file.kind === "l" ? `a link to ${file.hash}` : (KINDS[file.kind ?? "f"] ?? "a file")));
  if (one && two) return one === two ? null : `${one} before, ${two} now`;
  const only = one ?? two;
  return only === KINDS.f ? null : only;
}
