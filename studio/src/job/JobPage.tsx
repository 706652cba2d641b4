import { lazy, Suspense, useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
import type { GraphJob, JobGraph } from "../api/types";
import { useQuery } from "../api/useQuery";
import { GraphView } from "../graph/GraphView";
import { findFailed, findFocus, listAncestors, type GraphNode, type Openings } from "../graph/model";
import { prepareArrangement, useArrangement } from "../graph/useArrangement";
import { useApi } from "../shell/context";
import { DeadEnd } from "../shell/DeadEnd";
import { Icon } from "../shell/icons";
import { Link } from "../shell/Link";
import { Loading } from "../shell/messages";
import { buildPath, setQuery, usePlace } from "../shell/router";
import { ProgressOfSteps } from "../progress/context";
import { listWords, ProgressBar } from "../progress/ProgressBlock";
import { useProgress } from "../progress/useProgress";
import { StateBadge } from "../shell/StateBadge";
import { useNow } from "../shell/useNow";
import { formatAgo, formatRunTime } from "../text/format";
import { isOver } from "../text/states";
import { GanttView } from "./GanttView";
import { JobActions } from "./JobActions";
import { NodePanel, TABS, type TabKey } from "./NodePanel";
import { JobStore } from "./store";
import "./job.css";

const TrialsView = lazy(() => import("../trials/TrialsView"));

export default function JobPage() {
  const api = useApi();
  const { rest } = usePlace();
  const name = rest[0];
  const store = useMemo(() => new JobStore(api, name), [api, name]);
  const version = useSyncExternalStore(store.subscribe, store.getVersion);
  useEffect(() => store.open(), [store]);
  useEffect(() => prepareArrangement(), []);
  if (!store.graph || !store.top) return store.error ? <DeadEnd error={store.error} noun="job" name={name} icon="jobs" list={{ name: "Jobs", path: "jobs" }} /> : <Loading what="the job" />;
  return <LoadedJob store={store} graph={store.graph} top={store.top} version={version} />;
}

/** What stands for the job itself where steps are named. */
const OWN = ".";

function LoadedJob({ store, graph, top, version }: { store: JobStore; graph: JobGraph; top: GraphJob; version: number }) {
  const api = useApi();
  const { query } = usePlace();
  const isRunning = !isOver(top.status);
  const now = useNow(isRunning ? 1 : 60);
  const body = useQuery(`${api.own} ${top.name} ${top.status} head`, () => api.getJob(top.name));
  const progress = useProgress(graph);
  const hasSteps = graph.jobs.length > 1;
  const hasTrials = top.type === "sweep" || top.type === "automl";
  const view = hasTrials && !query.get("view") ? "trials" : query.get("view") === "timeline" ? "timeline" : "graph";
  const [focus] = useState(() => findFocus(graph));
  const chosen = query.get("node");
  const initial = chosen === null && top.status === "Failed" ? findFailed(graph)?.label : chosen;
  const selected = !hasSteps || !initial ? undefined : initial === OWN ? top : graph.jobs.find((job) => job.label === initial);
  const tab = TABS.find(({ key }) => key === query.get("tab"))?.key ?? "summary";
  const setTab = (key: TabKey) => setQuery({ tab: key === "summary" ? null : key, node: initial ?? null }, { replace: true });
  const select = (job: string) => setQuery({ node: store.getJob(job)?.label ?? "" }, { replace: true });
  const close = () => setQuery({ node: "", tab: null }, { replace: true });

  useEffect(() => {
    document.title = `${top.display_name ?? top.name} · smalt`;
  }, [top.display_name, top.name]);

  useCloseKey(hasSteps && selected ? close : null);

  return (
    <div className="job-page">
      <header className="job-head">
        <nav aria-label="Above this job" className="crumbs">
          <Link to={buildPath(api.workspace.folder, "jobs")}>Jobs</Link>
          {body.data?.properties.experimentName && <><Icon name="right" size={12} /><Link to={`${buildPath(api.workspace.folder, "jobs")}?experiment=${encodeURIComponent(body.data.properties.experimentName)}`}>{body.data.properties.experimentName}</Link></>}
          {body.data?.properties.parentJobName && <><Icon name="right" size={12} /><Link to={buildPath(api.workspace.folder, "jobs", body.data.properties.parentJobName)}>{body.data.properties.parentJobName}</Link></>}
        </nav>
        <div className="job-title">
          <div className="job-what">
            <h1>{top.display_name ?? top.node ?? top.name}</h1>
            <StateBadge state={top.status} />
            <span className="muted number">{formatRunTime(top, now)}</span>
            <span className="muted">{formatAgo(top.created, now)}</span>
            {!store.isConnected && <span className="muted"><Icon name="alert" size={14} /> waiting for the server</span>}
            {progress[top.name] && isRunning && <span className="head-progress"><ProgressBar progress={progress[top.name]} /><span className="muted number">{listWords(progress[top.name]).slice(0, 3).join(", ")}</span></span>}
          </div>
          <div className="job-acts">
            {hasSteps && <button className="button folds" title="About" aria-pressed={selected === top} onClick={() => (selected === top ? close() : setQuery({ node: OWN, tab: null }, { replace: true }))}><Icon name="info" size={14} /><span className="label">About</span></button>}
            {hasSteps && (
              <div className="segments" role="group" aria-label="View">
                {hasTrials && <button className="button" aria-pressed={view === "trials"} onClick={() => setQuery({ view: null }, { replace: true })}><Icon name="curve" size={14} />{top.type === "automl" ? "Leaderboard" : "Trials"}</button>}
                <button className="button" aria-pressed={view === "graph"} onClick={() => setQuery({ view: hasTrials ? "graph" : null }, { replace: true })}><Icon name="graph" size={14} />Graph</button>
                <button className="button" aria-pressed={view === "timeline"} onClick={() => setQuery({ view: "timeline" }, { replace: true })}><Icon name="time" size={14} />Timeline</button>
              </div>
            )}
            {body.data && top.parent === null && !body.data.properties.parentJobName && <JobActions job={top} experiment={body.data.properties.experimentName ?? ""} isArchived={body.data.properties.isArchived === true} onChange={body.reload} />}
          </div>
        </div>
      </header>
      <ProgressOfSteps.Provider value={progress}>
        <div className={hasSteps && selected ? "job-body split" : "job-body"}>
          {hasSteps && (
            <div className="job-view">
              {view === "trials" ? (
                <Suspense fallback={<Loading what="the trials" />}><TrialsView job={top} version={version} now={now} selected={selected?.name ?? null} onSelect={select} /></Suspense>
              ) : view === "timeline" ? (
                <GanttView store={store} version={version} now={now} selected={selected?.name ?? null} onSelect={select} />
              ) : (
                <Steps store={store} graph={graph} version={version} now={now} selected={selected?.name ?? null} focus={focus?.name} onSelect={select} />
              )}
            </div>
          )}
          {hasSteps && selected && <NodePanel job={selected} tab={tab} now={now} isTop={selected.name === top.name} onTab={setTab} onSelect={select} onClose={close} />}
          {!hasSteps && <NodePanel job={top} tab={tab} now={now} isTop onTab={setTab} onSelect={select} />}
        </div>
      </ProgressOfSteps.Provider>
    </div>
  );
}

/** Close the panel of a step by Escape, but not while a text is edited or a dialog is open, which have that key themselves. */
function useCloseKey(close: (() => void) | null): void {
  const latest = useRef(close);
  latest.current = close;
  useEffect(() => {
    function press(event: KeyboardEvent) {
      if (event.key !== "Escape" || event.defaultPrevented || !latest.current) return;
      const target = event.target as HTMLElement;
      if (target.matches("input, textarea, select, [contenteditable=true]") || document.querySelector("dialog[open]")) return;
      const isWithin = target.closest(".node-panel") !== null;
      latest.current();
      if (isWithin) document.querySelector<HTMLElement>(".job-view [tabindex='0']")?.focus(); // what had the focus goes
    }
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, []);
}

interface StepsProps {
  store: JobStore;
  graph: JobGraph;
  version: number;
  now: number;
  selected: string | null;
  focus: string | undefined;
  onSelect: (name: string) => void;
}

function Steps({ store, graph, version, now, selected, focus, onSelect }: StepsProps) {
  const form = useSyncExternalStore(store.subscribe, store.getForm);
  const [open, setOpen] = useState<Openings>(() => ({ frames: new Set(listAncestors(graph, selected ?? focus ?? "")), folds: new Set() }));
  const arrangement = useArrangement(graph, form, open);
  const getJob = useCallback((name: string) => store.getJob(name), [store]);
  const toggle = useCallback((node: GraphNode) => {
    setOpen((before) => {
      const kind = node.kind === "fold" ? "folds" : "frames";
      const after = new Set(before[kind]);
      if (!after.delete(node.id)) after.add(node.id);
      return { ...before, [kind]: after };
    });
  }, []);
  const select = useCallback((node: GraphNode) => (node.kind === "fold" ? toggle(node) : onSelect(node.jobs[0])), [onSelect, toggle]);
  if (!arrangement) return <Loading what="the graph" />;
  return <GraphView arrangement={arrangement} getJob={getJob} version={version} now={now} selected={selected} focus={focus} onSelect={select} onToggle={toggle} />;
}
