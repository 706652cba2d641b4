import type { DiffHunk, DiffLine } from "./diff";

/** Lines side by side: a removed line stands beside the added one in its place. */
export function pairLines(lines: DiffLine[]): [DiffLine | null, DiffLine | null][] {
  const pairs: [DiffLine | null, DiffLine | null][] = [];
  let [removed, added]: [DiffLine[], DiffLine[]] = [[], []];
  const flush = () => {
    for (let k = 0; k < Math.max(removed.length, added.length); k++) pairs.push([removed[k] ?? null, added[k] ?? null]);
    [removed, added] = [[], []];
  };
  for (const line of lines) {
    if (line.change === "removed") removed.push(line);
    else if (line.change === "added") added.push(line);
    else {
      flush();
      pairs.push([line, line]);
    }
  }
  flush();
  return pairs;
}

/** The number of equal lines that are left out before each hunk. */
export function countSkipped(hunks: DiffHunk[]): number[] {
  let end = 0;
  return hunks.map(({ lines }) => {
    const numbers = lines.flatMap(({ before }) => before ?? []);
    const skipped = numbers.length ? numbers[0] - end - 1 : 0;
    end = numbers.at(-1) ?? end;
    return Math.max(0, skipped);
  });
}

/** The hunks as far as they have at most so many lines in all. */
export function cutHunks(hunks: DiffHunk[], most: number): DiffHunk[] {
  let left = most;
  return hunks.flatMap(({ lines }) => {
    const kept = lines.slice(0, Math.max(0, left));
    left -= kept.length;
    return kept.length ? [{ lines: kept }] : [];
  });
}
