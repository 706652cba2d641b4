import { lazy, Suspense, useEffect, useState, type KeyboardEvent } from "react";
import type { GraphJob } from "../api/types";
import { preloadCurvesWhenIdle } from "../curves/ChartCard";
import { useApi } from "../shell/context";
import { Icon, type IconName } from "../shell/icons";
import { Loading } from "../shell/messages";
import { StateBadge } from "../shell/StateBadge";
import { isOver } from "../text/states";
import { CodeTab } from "./CodeTab";
import { MetricsTab, prepareMetrics } from "./MetricsTab";
import { PortsTab } from "./PortsTab";
import { RerunDialog } from "./RerunDialog";
import { SummaryTab } from "./SummaryTab";
import { LogTab } from "./LogTab";

const TrialsView = lazy(() => import("../trials/TrialsView"));
const YamlTab = lazy(() => import("./BodyTab"));

export const TABS = [
  { key: "summary", name: "Summary", icon: "info" },
  { key: "log", name: "Log", icon: "file" },
  { key: "data", name: "Inputs & outputs", icon: "folder" },
  { key: "metrics", name: "Metrics", icon: "curve" },
  { key: "trials", name: "Trials", icon: "curve" },
  { key: "code", name: "Code", icon: "archive" },
  { key: "body", name: "Definition", icon: "graph" },
] as const satisfies readonly { key: string; name: string; icon: IconName }[];
export type TabKey = (typeof TABS)[number]["key"];

/** Types of steps that can run without their pipeline. */
const SEPARABLE = new Set(["command", "spark", "sweep", "pipeline"]);

interface Props {
  job: GraphJob;
  tab: TabKey;
  now: number;
  /** True for the job of the page itself, whose head the page has. */
  isTop: boolean;
  onTab: (tab: TabKey) => void;
  onSelect: (name: string) => void;
  onClose?: () => void;
}

/** All about one step. */
export function NodePanel({ job, tab, now, isTop, onTab, onSelect, onClose }: Props) {
  const hasTrials = !isTop && (job.type === "sweep" || job.type === "automl");
  const tabs = TABS.filter(({ key }) => (key !== "trials" || hasTrials) && !(job.composite && key === "log" && job.type === "pipeline" && isOver(job.status) && job.status !== "Failed"));
  const api = useApi();
  const [isAlone, setAlone] = useState(false);
  useEffect(preloadCurvesWhenIdle, []);
  /** A pointer over a tab, or the keyboard among them, is mostly followed by a choice. */
  function prepare(key: TabKey) {
    if (key === "metrics" && key !== tab) prepareMetrics(api, job);
  }
  /** Ask before anything is drawn for the choice, which takes a few milliseconds. */
  function choose(key: TabKey) {
    prepare(key);
    onTab(key);
  }
  function press(event: KeyboardEvent) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = tabs[(tabs.findIndex((one) => one.key === tab) + step + tabs.length) % tabs.length];
    choose(next.key);
    document.getElementById(`tab-${next.key}`)?.focus();
  }
  return (
    <section className="node-panel" aria-label={job.label || job.name}>
      {!isTop && (
        <header className="panel-head">
          <StateBadge state={job.status} />
          <h2>{job.label.split("/").join(" / ")}</h2>
          {SEPARABLE.has(job.type) && <button className="button small" onClick={() => setAlone(true)}><Icon name="rerun" size={14} />Run only this step</button>}
          {onClose && <button className="button quiet icon small" aria-label="Close" onClick={onClose}><Icon name="close" size={14} /></button>}
        </header>
      )}
      {isAlone && <RerunDialog name={job.name} only={job.label.split("/").at(-1)} onClose={() => setAlone(false)} />}
      <div className="tabs" role="tablist" aria-label="About this step" onKeyDown={press} onFocus={(event) => event.target.matches(":focus-visible") && prepare("metrics")}>
        {tabs.map(({ key, name }) => (
          <button key={key} id={`tab-${key}`} role="tab" aria-selected={key === tab} aria-controls="tab-content" tabIndex={key === tab ? 0 : -1} onPointerEnter={() => prepare(key)} onClick={() => choose(key)}>{name}</button>
        ))}
      </div>
      <div className="tab-content" id="tab-content" role="tabpanel" aria-labelledby={`tab-${tab}`} key={`${job.name} ${tab}`} tabIndex={0}>
        <Suspense fallback={<Loading what="this part" />}>
          {tab === "summary" && <SummaryTab job={job} now={now} onTab={onTab} />}
          {tab === "log" && <LogTab job={job} />}
          {tab === "data" && <PortsTab job={job} />}
          {tab === "metrics" && <MetricsTab job={job} />}
          {tab === "trials" && hasTrials && <TrialsView job={job} version={now} now={now} selected={null} onSelect={onSelect} />}
          {tab === "code" && <CodeTab job={job} />}
          {tab === "body" && <YamlTab job={job} />}
        </Suspense>
      </div>
    </section>
  );
}
