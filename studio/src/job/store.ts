import { followChanges } from "../api/changes";
import type { GraphJob, JobGraph } from "../api/types";
import type { WorkspaceApi } from "../api/workspace";
import { isOver } from "../text/states";

const RELOAD = 400;

/** A job and all below it, as they are now: loaded once, then kept by the stream of changes. */
export class JobStore {
  graph: JobGraph | null = null;
  error: Error | null = null;
  /** Counts changes of the graph's form; `version` counts all changes. */
  form = 0;
  version = 0;
  isConnected = true;
  private seen = 0;
  private places = new Map<string, number>();
  private listeners = new Set<() => void>();
  private stop: (() => void) | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly api: WorkspaceApi, readonly name: string) {}

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  getVersion = (): number => this.version;
  getForm = (): number => this.form;

  get top(): GraphJob | undefined {
    return this.graph?.jobs[0];
  }

  getJob(name: string): GraphJob | undefined {
    return this.graph?.jobs[this.places.get(name) ?? -1];
  }

  /** Load the graph and follow its changes, until the returned function is called. */
  open(): () => void {
    void this.load().then(() => {
      if (this.stop === null && this.graph) this.follow();
    });
    return () => {
      this.stop?.();
      this.stop = () => {};
      clearTimeout(this.timer);
    };
  }

  apply(rows: GraphJob[], after: number): void {
    this.seen = Math.max(this.seen, after);
    if (!this.graph) return;
    let isNew = false;
    const jobs = [...this.graph.jobs];
    for (const row of rows) {
      const place = this.places.get(row.name);
      if (place === undefined) isNew = true;
      else jobs[place] = { ...jobs[place], ...row, parent: jobs[place].parent };
    }
    this.graph = { ...this.graph, jobs };
    const hasEnded = rows.some((row) => row.name === this.name && isOver(row.status));
    if (isNew || hasEnded) this.reloadSoon(); // the costs of what ended come with the graph
    this.announce();
  }

  private follow(): void {
    this.stop = followChanges<GraphJob>(this.api, this.name, this.graph!.after, (rows, after) => this.apply(rows, after), (isOpen) => {
      this.isConnected = isOpen;
      this.announce();
    });
  }

  private reloadSoon(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      void this.load();
    }, RELOAD);
  }

  private async load(): Promise<void> {
    try {
      const graph = await this.api.getGraph(this.name);
      if (graph.after < this.seen) return void this.load(); // a change overtook it
      const before = this.graph;
      this.graph = graph;
      this.error = null;
      this.places = new Map(graph.jobs.map((job, place) => [job.name, place]));
      if (before?.jobs.length !== graph.jobs.length || before.edges.length !== graph.edges.length) this.form += 1;
    } catch (error) {
      this.error = error as Error;
    }
    this.announce();
  }

  private announce(): void {
    this.version += 1;
    for (const listener of this.listeners) listener();
  }
}
