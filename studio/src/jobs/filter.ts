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
  /** The metrics that have a column. */
  metric: string[];
}

export const LISTS = ["status", "experiment", "type", "owner", "tag"] as const;
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
export const MOST_METRICS = 4;

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
    metric: [...new Set(query.getAll("metric"))].slice(0, MOST_METRICS),
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
  return filter.status.length > 0 || filter.sort !== DEFAULT_SORT;
}

/** The sort after a click on a column: descending first for times, ascending for texts; then the other way. */
export function turnSort(current: string, key: string): string {
  const descendingFirst = key === "created" || key === "started" || key === "duration";
  if (current === key) return `-${key}`;
  if (current === `-${key}`) return key;
  return descendingFirst ? `-${key}` : key;
}

export function toggle(values: string[], value: string): string[] {
  return values.includes(value) ? values.filter((one) => one !== value) : [...values, value];
}
