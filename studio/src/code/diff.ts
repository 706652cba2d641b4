/** What differs between two snapshots of code, and between two texts. */
export interface CodeFile {
  path: string;
  size: number;
  /** The sha256 of the content, or the target of a link. */
  hash?: string;
  kind?: string;
}

export interface FileChange {
  path: string;
  change: "added" | "removed" | "changed" | "same";
  before?: CodeFile;
  after?: CodeFile;
}

export interface DiffLine {
  change: "added" | "removed" | "same";
  text: string;
  /** The line's number in each text, from 1. */
  before: number | null;
  after: number | null;
}

export interface DiffHunk {
  lines: DiffLine[];
}

export interface TextDiff {
  hunks: DiffHunk[];
  added: number;
  removed: number;
}

/** Texts that differ in more than so many lines are not compared line by line. */
export const MOST_EDITS = 2000;

const LONGEST = 2000;

/** The files of two snapshots by path: those that differ first, each group in the order of paths. */
export function compareFiles(before: CodeFile[], after: CodeFile[]): FileChange[] {
  const earlier = new Map(before.map((file) => [file.path, file]));
  const changes: FileChange[] = after.map((file) => {
    const other = earlier.get(file.path);
    earlier.delete(file.path);
    if (!other) return { path: file.path, change: "added", after: file };
    return { path: file.path, change: isSame(other, file) ? "same" : "changed", before: other, after: file };
  });
  for (const file of earlier.values()) changes.push({ path: file.path, change: "removed", before: file });
  const rank = (one: FileChange) => Number(one.change === "same");
  return changes.sort((a, b) => rank(a) - rank(b) || (a.path < b.path ? -1 : 1));
}

/** The hunks in which two texts differ, with `context` lines around; null if they differ in too many lines. */
export async function diffTexts(before: string, after: string, context = 3): Promise<TextDiff | null> {
  const { structuredPatch } = await import("diff");
  const patch = structuredPatch("", "", before, after, "", "", { context, maxEditLength: MOST_EDITS, timeout: LONGEST });
  if (!patch) return null;
  const hunks = patch.hunks.map(({ lines, oldStart, newStart }) => numberLines(lines, oldStart, newStart));
  const count = (change: DiffLine["change"]) => hunks.reduce((sum, hunk) => sum + hunk.lines.filter((line) => line.change === change).length, 0);
  return { hunks, added: count("added"), removed: count("removed") };
}

function numberLines(lines: string[], oldStart: number, newStart: number): DiffHunk {
  let [before, after] = [oldStart, newStart];
  const numbered: DiffLine[] = [];
  for (const line of lines) {
    const text = line.slice(1);
    if (line.startsWith("+")) numbered.push({ change: "added", text, before: null, after: after++ });
    else if (line.startsWith("-")) numbered.push({ change: "removed", text, before: before++, after: null });
    else if (!line.startsWith("\\")) numbered.push({ change: "same", text, before: before++, after: after++ });
  }
  return { lines: numbered };
}

const isSame = (a: CodeFile, b: CodeFile): boolean => a.hash !== undefined && a.hash === b.hash && a.kind === b.kind;
