/** The filter of the table of jobs. The address is the filter: what one person sees, another sees by the same address. */
export interface JobFilter {
  search: string;
  status: string[];
  type: string[];
  experiment: string[];
  owner: string[];
  tag: string[];
  since: string;
  view: "active" | "archived" | "all";
  sort: string;
  group: boolean;
  /** Conditions on the last values of metrics, as the server reads them: `loss<0.3`. */
  where: string[];
  /** The metrics and the parameters that have a column. */
  metric: string[];
  param: string[];
}

export const LISTS = ["status", "experiment", "type", "owner", "tag", "where"] as const;
export type ListKey = (typeof LISTS)[number];

/** Spans of time that the address names, in seconds. */
export const SPANS: Record<string, { name: string; seconds: number }> = {
  "1h": { name: "Last hour", seconds: 3600 },
  "24h": { name: "Last 24 hours", seconds: 86400 },
  "7d": { name: "Last 7 days", seconds: 7 * 86400 },
  "30d": { name: "Last 30 days", seconds: 30 * 86400 },
};
const VIEWS = ["active", "archived", "all"] as const;
export const DEFAULT_SORT = "-created";
const GRAIN = 60;
/** As many metrics, and as many parameters, have columns. */
export const MOST_COLUMNS = 5;
export const METRIC_SORT = "metric.";
export const COMPARISONS = ["<", "<=", ">", ">=", "=", "!="] as const;

export function readFilter(query: URLSearchParams): JobFilter {
  const view = VIEWS.find((one) => one === query.get("view")) ?? "active";
  const since = query.get("since") ?? "";
  return {
    search: query.get("search") ?? "",
    status: query.getAll("status"),
    type: query.getAll("type"),
    experiment: query.getAll("experiment"),
    owner: query.getAll("owner"),
    tag: query.getAll("tag"),
    since: since in SPANS ? since : "",
    view,
    sort: query.get("sort") ?? DEFAULT_SORT,
    group: query.get("group") === "experiment",
    where: query.getAll("where"),
    metric: [...new Set(query.getAll("metric"))].slice(0, MOST_COLUMNS),
    param: [...new Set(query.getAll("param"))].slice(0, MOST_COLUMNS),
  };
}

/** The server's query for a filter. `now` is in seconds; it counts by whole minutes, so that equal filters stay equal. */
export function buildServerQuery(filter: JobFilter, now: number): URLSearchParams {
  const query = new URLSearchParams();
  if (filter.search.trim()) query.set("search", filter.search.trim());
  for (const key of LISTS) for (const value of filter[key]) query.append(key, value);
  const span = SPANS[filter.since];
  if (span) query.set("since", String(Math.floor(now / GRAIN) * GRAIN - span.seconds));
  if (filter.view !== "active") query.set("view", filter.view);
  if (filter.sort !== DEFAULT_SORT) query.set("sort", filter.sort);
  return query;
}

export function isFiltered(filter: JobFilter): boolean {
  return filter.search.trim() !== "" || filter.since !== "" || LISTS.some((key) => filter[key].length > 0);
}

/** True if a change of a job may put it elsewhere in the table, into it, or out of it. */
export function dependsOnState(filter: JobFilter): boolean {
  return filter.status.length > 0 || filter.where.length > 0 || filter.sort !== DEFAULT_SORT;
}

/** The sort after a click on a column: descending first for times and metrics, ascending for texts; then the other way. */
export function turnSort(current: string, key: string): string {
  const descendingFirst = key === "created" || key === "started" || key === "duration" || key.startsWith(METRIC_SORT);
  if (current === key) return `-${key}`;
  if (current === `-${key}`) return key;
  return descendingFirst ? `-${key}` : key;
}

export function toggle(values: string[], value: string): string[] {
  return values.includes(value) ? values.filter((one) => one !== value) : [...values, value];
}

/** The condition of a form; null while it says none. */
export function buildCondition(name: string, comparison: string, value: string): string | null {
  const metric = name.trim();
  if (!metric || /[<>=!]/.test(metric)) return null;
  if (!value.trim()) return metric;
  return Number.isFinite(Number(value)) ? `${metric}${comparison}${value.trim()}` : null;
}
