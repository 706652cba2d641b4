import type { JobRow } from "../api/types";

/** The jobs of `rows` that were created before a job, the newest first. */
export function listEarlier(rows: JobRow[], job: { name: string; created: number }): JobRow[] {
  return rows.filter((row) => row.name !== job.name && row.created <= job.created).sort((a, b) => b.created - a.created);
}
