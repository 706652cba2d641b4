import type { Snapshot } from "../api/types";
import type { CodeFile, FileChange } from "./diff";

/** The code among those of a snapshot that one job ran; a link counts by where it leads. */
export function findCode(snapshot: Snapshot | undefined, job: string | undefined): { hash: string; files: CodeFile[] } {
  const found = snapshot?.snapshots.find((one) => job !== undefined && one.jobs.includes(job));
  return { hash: found?.hash ?? "", files: (found?.files ?? []).map(({ link, hash, ...file }) => ({ ...file, hash: link ?? hash ?? "" })) };
}

const KINDS: Record<string, string> = { f: "a file", x: "an executable file", d: "an empty folder" };

/** What a change is besides a change of text: a link, a folder, or another kind of file; null if it is no more. */
export function describeKind({ before, after }: FileChange): string | null {
  const [one, two] = [before, after].map((file) => (!file ? null : file.kind === "l" ? `a link to ${file.hash}` : (KINDS[file.kind ?? "f"] ?? "a file")));
  if (one && two) return one === two ? null : `${one} before, ${two} now`;
  const only = one ?? two;
  return only === KINDS.f ? null : only;
}
