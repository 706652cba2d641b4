/** What the address of the page for comparing says: it is the whole state of the page. */
export interface ComparisonAddress {
  /** The jobs; the first is the one that the others are compared with. */
  jobs: string[];
  /** The job that code and graph compare with the first. */
  other: string | undefined;
  tab: ComparisonTab;
  /** True if facts that are equal are shown, too. */
  isAll: boolean;
  /** True if changed lines stand side by side. */
  isSplit: boolean;
  /** Metrics of which the other end is the better one than their names say. */
  flipped: string[];
  /** The step of the graph that is looked at, by its path. */
  step: string | null;
}

export const COMPARISON_TABS = [
  { key: "summary", name: "Summary" },
  { key: "metrics", name: "Metrics" },
  { key: "code", name: "Code" },
  { key: "environment", name: "Environment" },
  { key: "graph", name: "Graph" },
] as const;
export type ComparisonTab = (typeof COMPARISON_TABS)[number]["key"];

export const MOST_JOBS = 50;

export function readComparison(query: URLSearchParams): ComparisonAddress {
  const jobs = readNames(query.get("jobs"));
  const other = query.get("with");
  return {
    jobs,
    other: other && other !== jobs[0] && jobs.includes(other) ? other : jobs[1],
    tab: COMPARISON_TABS.find(({ key }) => key === query.get("tab"))?.key ?? "summary",
    isAll: query.get("all") === "1",
    isSplit: query.get("lines") === "side-by-side",
    flipped: readNames(query.get("flip")),
    step: query.get("step"),
  };
}

/** The query of a comparison of these jobs. Names of jobs have no commas, so that they stay readable. */
export function buildComparisonQuery(jobs: readonly string[], more: Record<string, string> = {}): string {
  const names = [...new Set(jobs)].map(encodeURIComponent).join(",");
  const rest = new URLSearchParams(more).toString();
  return `jobs=${names}${rest ? `&${rest}` : ""}`;
}

const readNames = (text: string | null): string[] => [...new Set((text ?? "").split(",").filter(Boolean))];
