import type { JobRow, JsonNumber } from "../api/types";

type Load = (names: string[]) => Promise<{ metrics: Record<string, Record<string, JsonNumber>>; parameters?: Record<string, Record<string, string>> }>;

/** The last metrics, and the parameters, of jobs, loaded for the rows that are shown; of a job that changes, again. */
export class RowMetrics {
  version = 0;
  private known = new Map<string, { status: string; values: Record<string, JsonNumber>; parameters: Record<string, string> }>();
  private pending = new Set<string>();
  private listeners = new Set<() => void>();

  constructor(private readonly load: Load) {}

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  getVersion = (): number => this.version;

  get(name: string, metric: string): JsonNumber | undefined {
    return this.known.get(name)?.values[metric];
  }

  getParameter(name: string, parameter: string): string | undefined {
    return this.known.get(name)?.parameters[parameter];
  }

  /** The names of all parameters that were seen, in order. */
  get parameterNames(): string[] {
    return [...new Set([...this.known.values()].flatMap(({ parameters }) => Object.keys(parameters)))].sort();
  }

  /** The names of all metrics that were seen, in order. */
  get names(): string[] {
    return [...new Set([...this.known.values()].flatMap(({ values }) => Object.keys(values)))].sort();
  }

  /** Load what is not known of these rows. */
  async show(rows: JobRow[]): Promise<void> {
    const wanted = rows.filter((row) => this.known.get(row.name)?.status !== row.status && !this.pending.has(row.name));
    if (!wanted.length) return;
    for (const { name } of wanted) this.pending.add(name);
    try {
      const { metrics, parameters = {} } = await this.load(wanted.map((row) => row.name));
      for (const { name, status } of wanted) this.known.set(name, { status, values: metrics[name] ?? {}, parameters: parameters[name] ?? {} });
    } catch {
      // the table says what is wrong with the server
    } finally {
      for (const { name } of wanted) this.pending.delete(name);
    }
    this.version += 1;
    for (const listener of this.listeners) listener();
  }
}
