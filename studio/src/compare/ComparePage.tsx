import { lazy, Suspense, useEffect, useMemo, useState, type KeyboardEvent } from "react";
import type { ComparedJob } from "../api/types";
import { useQuery } from "../api/useQuery";
import { offerCommands } from "../shell/commands";
import { useApi } from "../shell/context";
import { Icon } from "../shell/icons";
import { Link } from "../shell/Link";
import { Empty, ErrorMessage, Loading } from "../shell/messages";
import { buildPath, setQuery, usePlace } from "../shell/router";
import { pluralize } from "../text/format";
import { COMPARISON_TABS, MOST_JOBS, readComparison, type ComparisonAddress, type ComparisonTab } from "./address";
import { FactTable } from "./FactTable";
import { countDifferences, listEnvironment, listSummary } from "./facts";
import { JobChips } from "./JobChips";
import { JobPicker } from "./JobPicker";
import { usePolling } from "./usePolling";
import "../curves/curves.css";
import "../job/job.css";
import "./compare.css";

const MetricsPart = lazy(() => import("./MetricsPart"));
const CodePart = lazy(() => import("./CodePart"));
const GraphPart = lazy(() => import("./GraphPart"));

const setJobs = (names: string[]) => setQuery({ jobs: names.length ? names.join(",") : null, step: null });

/** Several jobs beside each other. The address is the state: what one person sees, another sees by the same address. */
export default function ComparePage() {
  const api = useApi();
  const { query } = usePlace();
  const address = useMemo(() => readComparison(query), [query]);
  const { jobs } = address;
  const [isPicking, setPicking] = useState(false);
  const found = useQuery(jobs.length && jobs.length <= MOST_JOBS ? `${api.own} compare ${jobs.join(",")}` : null, () => api.compareJobs(jobs));
  const compared = found.data?.jobs;
  usePolling(compared ?? [], found.reload);
  useEffect(() => {
    document.title = "Compare · smalt";
    return offerCommands(() => [{ name: "Add a job to the comparison", what: "this page", run: () => setPicking(true) }]);
  }, []);
  const add = (name: string) => setJobs([...jobs, name]);
  return (
    <div className="compare-page">
      <header className="job-head">
        <nav aria-label="Above this page" className="crumbs"><Link to={buildPath(api.workspace.folder, "jobs")}>Jobs</Link></nav>
        <div className="job-title">
          <h1>Compare</h1>
          <span className="muted number" role="status">{jobs.length > 0 && pluralize(jobs.length, "job")}</span>
          <span className="space" />
          <button className="button" onClick={() => setPicking(true)}><Icon name="plus" size={14} />Add a job</button>
        </div>
        {compared && <JobChips jobs={compared} onChange={setJobs} />}
      </header>
      {isPicking && <JobPicker chosen={jobs} experiment={compared?.[0]?.experiment} onChoose={add} onClose={() => setPicking(false)} />}
      {found.error ? (
        <div className="center"><ErrorMessage error={found.error} retry={found.reload} /></div>
      ) : jobs.length > MOST_JOBS ? (
        <Empty icon="compare" title={`At most ${MOST_JOBS} jobs are compared at once`}><p>The address names {jobs.length}. Select fewer in the table of jobs.</p></Empty>
      ) : !jobs.length ? (
        <Empty icon="compare" title="Choose the jobs to compare">
          <p>Add them here, or select them in the table of jobs and press Compare. On the command line: <code>smalt job compare</code>.</p>
          <button className="button primary" onClick={() => setPicking(true)}>Add a job</button>
        </Empty>
      ) : compared ? (
        <Parts jobs={compared} address={address} onAdd={() => setPicking(true)} />
      ) : (
        <Loading what="the jobs" />
      )}
    </div>
  );
}

function Parts({ jobs, address, onAdd }: { jobs: ComparedJob[]; address: ComparisonAddress; onAdd: () => void }) {
  const { tab } = address;
  const [base, other] = [jobs[0], jobs.find((job) => job.name === address.other)];
  const isOfTwo = tab === "code" || tab === "graph";
  const setTab = (key: ComparisonTab) => setQuery({ tab: key === "summary" ? null : key, step: null }, { replace: true });
  function press(event: KeyboardEvent) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = COMPARISON_TABS[(COMPARISON_TABS.findIndex(({ key }) => key === tab) + step + COMPARISON_TABS.length) % COMPARISON_TABS.length];
    setTab(next.key);
    document.getElementById(`tab-${next.key}`)?.focus();
  }
  return (
    <>
      <div className="tabs" role="tablist" aria-label="What is compared" onKeyDown={press}>
        {COMPARISON_TABS.map(({ key, name }) => (
          <button key={key} id={`tab-${key}`} role="tab" aria-selected={key === tab} aria-controls="tab-content" tabIndex={key === tab ? 0 : -1} onClick={() => setTab(key)}>{name}</button>
        ))}
      </div>
      <div className={`tab-content part-${tab}`} id="tab-content" role="tabpanel" aria-labelledby={`tab-${tab}`} key={tab}>
        {isOfTwo && jobs.length > 2 && <PairBar jobs={jobs} other={other} />}
        <Suspense fallback={<Loading what="this part" />}>
          {!other ? (
            <Empty icon="compare" title="One job alone has nothing to be compared with"><button className="button primary" onClick={onAdd}>Add a job</button></Empty>
          ) : tab === "metrics" ? (
            <MetricsPart jobs={jobs} flipped={address.flipped} isAll={address.isAll} />
          ) : tab === "code" ? (
            <CodePart base={base} other={other} isSplit={address.isSplit} />
          ) : tab === "graph" ? (
            <GraphPart base={base} other={other} step={address.step} isSplit={address.isSplit} />
          ) : (
            <Facts jobs={jobs} tab={tab} isAll={address.isAll} />
          )}
        </Suspense>
      </div>
    </>
  );
}

function Facts({ jobs, tab, isAll }: { jobs: ComparedJob[]; tab: "summary" | "environment"; isAll: boolean }) {
  const sections = useMemo(() => (tab === "summary" ? listSummary(jobs) : listEnvironment(jobs)), [jobs, tab]);
  const differing = countDifferences(sections);
  if (!sections.length) return <Empty icon="compare" title="They say nothing of their environment"><p>Environments of steps are in the graph, at each step.</p></Empty>;
  return (
    <div className="compare-part">
      <div className="curve-bar">
        <strong>{differing ? pluralize(differing, "difference") : "No difference"}</strong>
        <label><input type="checkbox" checked={isAll} onChange={(event) => setQuery({ all: event.target.checked ? "1" : null }, { replace: true })} /> Show equal rows</label>
      </div>
      <FactTable jobs={jobs} sections={sections} isAll={isAll} />
      {!differing && !isAll && <p className="muted">Nothing differs here. "Show equal rows" shows what they share.</p>}
    </div>
  );
}

/** The choice of the job that is compared with the first, where two are. */
function PairBar({ jobs, other }: { jobs: ComparedJob[]; other: ComparedJob | undefined }) {
  return (
    <label className="pair-bar">
      <span>{jobs[0].display_name ?? jobs[0].name} and</span>
      <select className="field" value={other?.name} onChange={(event) => setQuery({ with: event.target.value, step: null }, { replace: true })}>
        {jobs.slice(1).map((job) => <option key={job.name} value={job.name}>{job.display_name ? `${job.display_name} (${job.name})` : job.name}</option>)}
      </select>
    </label>
  );
}
