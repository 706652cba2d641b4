import { buildUrl, get, request, send } from "./client";
import type {
  Attempt, ComparedJob, FileItem, JobBody, JobCounts, JobGraph, JobTablePage, JsonNumber, LineageNode, MetricRun, Ports, ReuseStep, Session, Snapshot,
  StepFacts, SweepTrials, Timeline, Workspace,
} from "./types";

const SESSION = "/smalt/v1/studio/session";

export const getSession = () => get<Session>(SESSION);
export const signIn = (given: { code: string } | { token: string }) => send<{ principal: string }>("POST", SESSION, given);
export const signOut = () => send<void>("DELETE", SESSION);

/** What is asked of the metrics of a job: at most so many points of each curve, of one metric or all, smoothed, and of a part. */
export type MetricQuery = { points: number; extremes?: boolean; metric?: string; smoothing?: number; over?: "step" | "time"; from?: number; to?: number };

/** The routes of one workspace. */
export class WorkspaceApi {
  readonly own: string;

  constructor(readonly workspace: Workspace) {
    this.own = `/smalt/v1${workspace.id}`;
  }

  listJobs(query: URLSearchParams | string, signal?: AbortSignal) {
    return get<JobTablePage>(`${this.own}/jobs?${query}`, {}, signal);
  }

  countJobs(view: string) {
    return get<JobCounts>(`${this.own}/job-counts`, { view });
  }

  getJob(name: string) {
    return get<JobBody>(this.jobPath(name));
  }

  getGraph(name: string) {
    return get<JobGraph>(`${this.ownJobPath(name)}/graph`);
  }

  getTimeline(name: string) {
    return get<Timeline>(`${this.ownJobPath(name)}/timeline`);
  }

  getAttempts(name: string) {
    return get<{ attempts: Attempt[] }>(`${this.ownJobPath(name)}/attempts`);
  }

  getPorts(name: string) {
    return get<Ports>(`${this.ownJobPath(name)}/ports`);
  }

  listPortFiles(job: string, direction: string, port: string, path: string) {
    const url = `${this.ownJobPath(job)}/ports/${direction}/${encodeURIComponent(port)}/list`;
    return get<{ value: FileItem[]; nextLink?: string }>(url, { path, $top: 500 });
  }

  buildPortFileUrl(job: string, direction: string, port: string, path: string) {
    return buildUrl(`${this.ownJobPath(job)}/ports/${direction}/${encodeURIComponent(port)}/file`, { path });
  }

  getMetrics(name: string, query: MetricQuery) {
    return get<{ runs: MetricRun[] }>(`${this.ownJobPath(name)}/metrics`, { history: true, trials: false, ...query });
  }

  getLineage(name: string) {
    return get<LineageNode>(`${this.own}/lineage/jobs/${encodeURIComponent(name)}`, { depth: 3 });
  }

  getLastMetrics(names: string[]) {
    const answer = send<{ metrics: Record<string, Record<string, JsonNumber>>; parameters: Record<string, Record<string, string>> }>;
    return answer("POST", `${this.own}/metrics`, { jobs: names, parameters: true });
  }

  getColumns() {
    return get<{ metrics: string[]; parameters: string[] }>(`${this.own}/job-columns`);
  }

  explainReuse(name: string) {
    return get<{ steps: ReuseStep[] }>(`${this.ownJobPath(name)}/reuse`);
  }

  getSnapshot(name: string) {
    return get<Snapshot>(`${this.ownJobPath(name)}/snapshot`);
  }

  buildCodeFileUrl(job: string, code: string, path: string) {
    return buildUrl(`${this.ownJobPath(job)}/snapshot/file`, { code, path });
  }

  compareJobs(names: string[]) {
    return send<{ jobs: ComparedJob[] }>("POST", `${this.own}/compare`, { jobs: names });
  }

  getTrials(name: string) {
    return get<SweepTrials>(`${this.ownJobPath(name)}/trials`);
  }

  getStepFacts(name: string) {
    return get<{ steps: Record<string, StepFacts> }>(`${this.ownJobPath(name)}/step-facts`);
  }

  cancelJob(name: string) {
    return send<void>("POST", `${this.jobPath(name)}/cancel`);
  }

  archiveJob(name: string, archived: boolean) {
    return send<void>("PATCH", `/history/v1.0${this.workspace.id}/runs/${encodeURIComponent(name)}`, { hidden: archived });
  }

  rerunJob(name: string, change: { name: string; inputs?: Record<string, string>; only?: boolean }) {
    return send<JobBody>("POST", `${this.ownJobPath(name)}/rerun`, change);
  }

  /** The address of a log of a job; of a reused step, that of the job whose outputs it took. */
  buildLogUrl(job: string, log: string) {
    return `${this.own}/datastores/workspaceartifactstore/files/ExperimentRun/dcid.${encodeURIComponent(job)}/${log}`;
  }

  openChanges(query: Record<string, string | number | undefined>, signal: AbortSignal) {
    return request(buildUrl(`${this.own}/changes`, query), { signal });
  }

  private jobPath(name: string) {
    return `${this.workspace.id}/jobs/${encodeURIComponent(name)}`;
  }

  private ownJobPath(name: string) {
    return `${this.own}/jobs/${encodeURIComponent(name)}`;
  }
}
