import type { JobRow } from "../api/types";

/** The jobs of `rows` that ran before a job, those with its display name first; each kind the newest first. */
export function rankPrevious(rows: JobRow[], job: { name: string; display_name: string | null; created: number }): JobRow[] {
  const before = rows.filter((row) => row.name !== job.name && row.created <= job.created).sort((a, b) => b.created - a.created);
  const isAlike = (row: JobRow) => job.display_name !== null && row.display_name === job.display_name;
  return [...before.filter(isAlike), ...before.filter((row) => !isAlike(row))];
}
