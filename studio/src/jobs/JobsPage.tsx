import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
import { followChanges } from "../api/changes";
import type { JobRow } from "../api/types";
import { useQuery } from "../api/useQuery";
import { useApi } from "../shell/context";
import { Icon } from "../shell/icons";
import { Empty, ErrorMessage } from "../shell/messages";
import { setQuery, usePlace } from "../shell/router";
import { useThrottle } from "../shell/useThrottle";
import { pluralize } from "../text/format";
import { ColumnMenu } from "./ColumnMenu";
import { ExperimentGroups } from "./ExperimentGroups";
import { buildServerQuery, dependsOnState, isFiltered, LISTS, readFilter } from "./filter";
import { FilterBar, FilterChips, ViewControls } from "./FilterBar";
import { RowMetrics } from "./metrics";
import { JobPages } from "./pages";
import { JobTable } from "./JobTable";
import { SelectionBar } from "./SelectionBar";
import "./jobs.css";

const REFRESH = 1000;
const RECOUNT = 5000;

export default function JobsPage() {
  const api = useApi();
  const place = usePlace();
  const filter = useMemo(() => readFilter(place.query), [place.query]);
  const key = buildServerQuery(filter, Date.now() / 1000).toString();
  const pages = useMemo(
    () => new JobPages((skip, limit, signal) => api.listJobs(`${key}&skip=${skip}&limit=${limit}`, signal)),
    [api, key],
  );
  const metrics = useMemo(() => new RowMetrics((names) => api.getLastMetrics(names)), [api]);
  const version = useSyncExternalStore(pages.subscribe, pages.getVersion);
  const counts = useQuery(`${api.own} ${filter.view}`, () => api.countJobs(filter.view));
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [isConnected, setConnected] = useState(true);
  const refresh = useThrottle(() => pages.refresh(), REFRESH);
  const recount = useThrottle(counts.reload, RECOUNT);

  useEffect(() => {
    document.title = "Jobs · smalt";
    pages.show(0, 30);
  }, [pages]);
  const onRows = useRef((_rows: JobRow[], _after: number) => {});
  onRows.current = (rows, after) => {
    if (pages.update(rows, after) || dependsOnState(filter)) refresh();
    recount();
  };
  const isLoaded = pages.after !== null;
  const [isFollowing, setFollowing] = useState(false);
  useEffect(() => setFollowing((before) => before || isLoaded), [isLoaded]);
  useEffect(() => {
    if (!isFollowing) return undefined;
    return followChanges<JobRow>(api, null, pages.after ?? 0, (rows, after) => onRows.current(rows, after), setConnected);
  }, [api, isFollowing]);

  const onSelect = useCallback((name: string) => {
    setSelected((before) => {
      const after = new Set(before);
      if (!after.delete(name)) after.add(name);
      return after;
    });
  }, []);
  const chosen = pages.loadedRows.filter((row) => selected.has(row.name));
  const isEmpty = pages.total === 0;

  return (
    <div className="jobs-page">
      <header className="page-head">
        <h1>Jobs</h1>
        {pages.total !== null && <span className="muted number" role="status">{pluralize(pages.total, "job")}</span>}
        {!isConnected && <span className="muted offline"><Icon name="alert" size={14} />waiting for the server</span>}
        <span className="space" />
        {!filter.group && <ColumnMenu filter={filter} metrics={metrics} />}
        <ViewControls filter={filter} />
      </header>
      <FilterBar filter={filter} counts={counts.data} />
      <FilterChips filter={filter} />
      {chosen.length > 0 && <SelectionBar rows={chosen} onClear={() => setSelected(new Set())} onDone={() => { setSelected(new Set()); pages.refresh(); counts.reload(); }} />}
      {(pages.error ?? counts.error) && <ErrorMessage error={(pages.error ?? counts.error)!} retry={() => pages.refresh()} />}
      {filter.group && counts.data && !isEmpty ? (
        <ExperimentGroups counts={counts.data} filter={filter} version={version} />
      ) : isEmpty ? (
        <NoJobs isFiltered={isFiltered(filter)} view={filter.view} />
      ) : (
        <JobTable pages={pages} sort={filter.sort} metrics={metrics} columns={filter} selected={selected} onSelect={onSelect} />
      )}
    </div>
  );
}

function NoJobs({ isFiltered: filtered, view }: { isFiltered: boolean; view: string }) {
  if (filtered) {
    return (
      <Empty icon="filter" title="No job matches">
        <p>Other jobs are there; the filter leaves them all out.</p>
        <button className="button" onClick={() => setQuery({ ...Object.fromEntries(LISTS.map((key) => [key, null])), since: null, search: null })}>Clear the filter</button>
      </Empty>
    );
  }
  if (view === "archived") return <Empty icon="archive" title="No job is archived" />;
  return (
    <Empty icon="jobs" title="No jobs yet">
      <p>A job that is submitted to this workspace appears here by itself, from the command line, a notebook or Azure's own client.</p>
      <pre>smalt job create --file job.yml</pre>
    </Empty>
  );
}
