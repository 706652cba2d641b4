/** What the server's routes answer, as far as the pages read it. */
export type State =
  | "NotStarted" | "Queued" | "Preparing" | "Provisioning" | "Starting" | "Running" | "Finalizing"
  | "CancelRequested" | "Completed" | "Failed" | "Canceled" | "NotResponding" | "Paused";

export interface Workspace {
  id: string;
  name: string;
  resource_group: string;
  folder: string;
  jobs: number;
}

export interface Session {
  principal: string;
  version: string;
  home: string;
  workspaces: Workspace[];
}

export interface StepCount {
  total: number;
  over: number;
  failed: number;
}

/** A row of the table of jobs. Times are seconds since 1970. */
export interface JobRow {
  name: string;
  display_name: string | null;
  experiment: string;
  type: string;
  status: State;
  owner: string;
  created: number;
  start: number | null;
  end: number | null;
  archived: boolean;
  error: string | null;
  steps?: StepCount;
}

export interface JobTablePage {
  total: number;
  /** Where the stream of changes goes on from this answer. */
  after: number;
  jobs: JobRow[];
}

export interface ExperimentCount {
  name: string;
  jobs: number;
  last: number;
  states: Partial<Record<State, number>>;
}

export interface JobCounts {
  experiments: ExperimentCount[];
  types: Record<string, number>;
  owners: Record<string, number>;
  states: Partial<Record<State, number>>;
}

export interface JobError {
  code?: string;
  message: string;
  exit_code?: number;
}

/** A job of a graph. */
export interface GraphJob {
  name: string;
  node: string | null;
  parent: string | null;
  type: string;
  status: State;
  start: number | null;
  end: number | null;
  error: JobError | null;
  reused?: string;
  display_name: string | null;
  composite: boolean;
  created: number;
  attempts: number;
  label: string;
  cpu_seconds?: number;
  peak_memory_bytes?: number | null;
}

export interface JobGraph {
  /** Where the stream of changes goes on from this answer. */
  after: number;
  jobs: GraphJob[];
  edges: [number, number][];
  /** Places in `edges` of those over which no data goes. */
  orders?: number[];
}

export interface Timeline {
  jobs: { name: string; label: string; states: [State, number][] }[];
}

export interface Attempt {
  number: number;
  compute: string;
  host: string | null;
  pid: number | null;
  start: number | null;
  end: number | null;
  exit_code: number | null;
  signal: number | null;
  reason: string | null;
  cpu_seconds: number | null;
  peak_memory_bytes: number | null;
  start_mode: string | null;
  imported_before: string | null;
  saved_seconds: number | null;
  cold_reason: string | null;
}

export interface Port {
  name: string;
  type: string;
  mode?: string | null;
  uri?: string | null;
  asset?: string | null;
  value?: string;
}

export interface Ports {
  inputs: Port[];
  outputs: Port[];
}

export interface FileItem {
  path: string;
  /** Of data that is one file, whose path is "". */
  name?: string;
  size: number;
  is_dir: boolean;
}

/** A job or asset, with what it was made of and what was made of it. */
export interface LineageNode {
  kind: string;
  name: string;
  version?: string;
  status?: State;
  parent?: string;
  step?: string;
  input?: string;
  output?: string;
  more?: boolean;
  made_by?: LineageNode[];
  used_by?: LineageNode[];
}

export type JsonNumber = number | "NaN" | "Infinity" | "-Infinity";

export interface Metric {
  name: string;
  value: JsonNumber;
  step: number;
  time: number;
  min?: JsonNumber;
  max?: JsonNumber;
  count?: number;
  points?: [number, number, JsonNumber][];
  /** The number of values of which `points` were chosen. */
  total?: number;
}

export interface MetricRun {
  id: string;
  job: string | null;
  label: string;
  metrics: Metric[];
}

export interface ReuseStep {
  node: string;
  job: string;
  status: State;
  result: string;
  reason: string;
  of: string | null;
  compared_to: { job: string; pipeline: string | null; end: number | null } | null;
  parts: { part: string; same: boolean }[];
}

/** A file (f), an executable file (x), a link (l) or an empty folder (d) of a code. */
export interface SnapshotFile {
  path: string;
  kind: string;
  size: number;
  hash?: string;
  link?: string;
}

export interface Snapshot {
  name: string;
  git: Record<string, string>;
  snapshots: { id: string; hash: string; bytes: number; files: SnapshotFile[]; jobs: string[]; steps: (string | null)[] }[];
}

/** What a step is and read, for a comparison with the same step of another job. */
export interface StepFacts {
  job: string;
  component?: string;
  command?: string;
  code?: string;
  environment?: string;
  parameters?: Record<string, string>;
  inputs?: Record<string, string>;
  outputs?: Record<string, string>;
  variables?: Record<string, string>;
}

/** A trial of a sweep or an AutoML job, with its point and the last value of the primary metric. */
export interface TrialRow {
  name: string;
  node: string | null;
  parent: string | null;
  type: string;
  status: State;
  start: number | null;
  end: number | null;
  error: JobError | null;
  reused?: string;
  parameters: Record<string, unknown>;
  value: JsonNumber | null;
}

export interface SweepTrials {
  sweep: {
    name: string;
    status: State;
    primary_metric: string;
    goal: "maximize" | "minimize";
    total_trials: number | null;
    counts: Partial<Record<State, number>>;
    best: { name: string; node: string; parameters: Record<string, unknown>; value: JsonNumber | null } | null;
    search_space: Record<string, unknown>;
    sampling_algorithm: string | null;
  };
  trials: TrialRow[];
}

/** A job in a comparison; what is not known is left out. */
export interface ComparedJob {
  name: string;
  display_name?: string;
  experiment: string;
  type: string;
  status: State;
  start?: number;
  end?: number;
  created_by: string;
  command?: string;
  compute?: string;
  parameters?: Record<string, string>;
  inputs?: Record<string, string>;
  metrics?: Record<string, JsonNumber>;
  tags?: Record<string, string>;
  code?: { snapshot?: string; commit?: string; branch?: string; repository?: string; dirty?: string; files?: Record<string, string> };
  environment?: { name: string; image?: string; packages?: Record<string, string> };
  variables?: Record<string, string>;
  steps?: Record<string, string>;
  sweep?: Record<string, unknown>;
  space?: Record<string, string>;
  best?: Record<string, unknown>;
}

/** The REST body of a job, as GET answers it. */
export interface JobBody {
  id: string;
  name: string;
  properties: Record<string, unknown> & {
    displayName?: string;
    description?: string | null;
    experimentName?: string;
    jobType?: string;
    status: State;
    tags?: Record<string, string>;
    isArchived?: boolean;
    parentJobName?: string;
    environmentId?: string;
    codeId?: string;
    command?: string;
    computeId?: string;
    properties?: Record<string, string>;
    error?: JobError;
  };
}
