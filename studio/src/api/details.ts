import { get } from "./client";
import type { WorkspaceApi } from "./workspace";

/** A line of a log with the text that was searched for. */
export interface LogMatch {
  line: number;
  at: number;
  text: string;
}

export interface LogMatches {
  matches: LogMatch[];
  next: { from: number; line: number } | null;
  size: number;
}

/** How far a parallel step, a sweep or an AutoML job is. */
export interface Progress {
  of: "mini-batches" | "trials";
  done: number;
  failed: number;
  total: number | null;
  running?: number;
  retried?: number;
  taken_over?: number;
  best?: { name: string; value: number | string } | null;
}

export interface JobEnvironment {
  name: string | null;
  declaration: { image?: string; condaFile?: string } | null;
  python: string | null;
  packages: string[] | null;
  /** True if the packages are those that the job had. */
  used: boolean;
  built: number | null;
  seconds: number | null;
  size: number | null;
  notes: string[];
  built_for: string | null;
}

const path = (api: WorkspaceApi, job: string, what: string) => `${api.own}/jobs/${encodeURIComponent(job)}/${what}`;

export const searchLog = (api: WorkspaceApi, job: string, query: { file: string; text: string; from: number; line: number; limit: number }, signal?: AbortSignal) =>
  get<LogMatches>(path(api, job, "log-search"), query, signal);
export const getProgress = (api: WorkspaceApi, job: string) => get<{ steps: Record<string, Progress> }>(path(api, job, "progress"));
export const getEnvironment = (api: WorkspaceApi, job: string) => get<JobEnvironment>(path(api, job, "environment"));
/** The job as YAML: with the versions that it had, or with its references as they were written. */
export const getDocument = (api: WorkspaceApi, job: string, isAsWritten = false) => get<{ yaml: string }>(path(api, job, "document"), isAsWritten ? { as_written: "true" } : undefined);
/** What a job that has not started waits for; null if nothing is known. */
export const getWaitReason = async (api: WorkspaceApi, job: string): Promise<string | null> => {
  const { jobs } = await get<{ jobs: { name: string; waits_for?: string }[] }>(path(api, job, "overview"));
  return jobs.find(({ name }) => name === job)?.waits_for ?? null;
};
export const getPrevious = (api: WorkspaceApi, job: string) => get<{ job: string | null }>(path(api, job, "previous"));
