import type { JobRow, JobTablePage } from "../api/types";

export const PAGE_SIZE = 100;
const MOST_PAGES = 40;

type Load = (skip: number, limit: number, signal: AbortSignal) => Promise<JobTablePage>;

/** The rows of a table that is on the server: those near the window are loaded, in pages, and kept for a while. */
export class JobPages {
  total: number | null = null;
  /** Where the stream of changes goes on from the first page. */
  after: number | null = null;
  error: Error | null = null;
  version = 0;
  private pages = new Map<number, JobRow[]>();
  private pending = new Map<number, AbortController>();
  private stale = new Set<number>();
  private shown: [number, number] = [0, 0];
  private seen = 0;
  private listeners = new Set<() => void>();

  constructor(private readonly load: Load) {}

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  getVersion = (): number => this.version;

  getRow(index: number): JobRow | undefined {
    return this.pages.get(Math.floor(index / PAGE_SIZE))?.[index % PAGE_SIZE];
  }

  get loadedRows(): JobRow[] {
    return [...this.pages.values()].flat();
  }

  /** Load what the window shows, the rows from `first` to `last`. */
  show(first: number, last: number): void {
    this.shown = [Math.floor(first / PAGE_SIZE), Math.floor(Math.max(first, last) / PAGE_SIZE)];
    for (const [page, stop] of this.pending) if (page < this.shown[0] || page > this.shown[1]) stop.abort();
    for (let page = this.shown[0]; page <= this.shown[1]; page++) {
      if ((!this.pages.has(page) || this.stale.has(page)) && !this.pending.has(page)) void this.loadPage(page);
    }
  }

  /** Load what is shown again, and the rest when it is shown. */
  refresh(): void {
    this.stale = new Set(this.pages.keys());
    for (const stop of this.pending.values()) stop.abort();
    this.pending.clear();
    for (let page = this.shown[0]; page <= this.shown[1]; page++) void this.loadPage(page);
  }

  /** Put changed rows in the place of those that are loaded, as of `after`; return true if some are not. */
  update(rows: JobRow[], after: number): boolean {
    this.seen = Math.max(this.seen, after);
    const changed = new Map(rows.map((row) => [row.name, row]));
    for (const [page, loaded] of this.pages) {
      if (!loaded.some((row) => changed.has(row.name))) continue;
      this.pages.set(page, loaded.map((row) => changed.get(row.name) ?? row));
    }
    for (const row of this.loadedRows) changed.delete(row.name);
    this.announce();
    return changed.size > 0;
  }

  private async loadPage(page: number): Promise<void> {
    const stop = new AbortController();
    this.pending.set(page, stop);
    try {
      const found = await this.load(page * PAGE_SIZE, PAGE_SIZE, stop.signal);
      if (stop.signal.aborted) return;
      if (found.after < this.seen) return void this.loadPage(page); // a change overtook it
      this.total = found.total;
      this.after ??= found.after;
      this.error = null;
      this.pages.set(page, found.jobs);
      this.stale.delete(page);
      this.forgetDistantPages();
    } catch (error) {
      if (stop.signal.aborted) return;
      this.error = error as Error;
    } finally {
      if (this.pending.get(page) === stop) this.pending.delete(page);
    }
    this.announce();
  }

  private forgetDistantPages(): void {
    const distance = (page: number) => Math.max(this.shown[0] - page, page - this.shown[1], 0);
    const kept = [...this.pages.keys()].sort((a, b) => distance(a) - distance(b));
    for (const page of kept.slice(MOST_PAGES)) this.pages.delete(page);
  }

  private announce(): void {
    this.version += 1;
    for (const listener of this.listeners) listener();
  }
}
