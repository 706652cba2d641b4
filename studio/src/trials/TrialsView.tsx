import { useEffect, useMemo, useState } from "react";
import type { State, SweepTrials } from "../api/types";
import { useQuery } from "../api/useQuery";
import { useApi } from "../shell/context";
import { Icon } from "../shell/icons";
import { Link } from "../shell/Link";
import { buildPath } from "../shell/router";
import { Empty, ErrorMessage, Loading } from "../shell/messages";
import { useThrottle } from "../shell/useThrottle";
import { formatNumber, pluralize } from "../text/format";
import { isOver, nameState } from "../text/states";
import { RegisterDialog } from "../job/RegisterDialog";
import { AutomlReports } from "./AutomlReports";
import { buildMetricAxis, buildParameterAxes, filterByBrushes, type Brushes } from "./axes";
import { BestSoFar } from "./BestSoFar";
import { ImportanceBars } from "./ImportanceBars";
import { buildTrials, formatParameter, listParameters, readValue } from "./model";
import { ParallelCoordinates } from "./ParallelCoordinates";
import { TrialTable } from "./TrialTable";
import "../curves/curves.css";
import "./trials.css";

/** Milliseconds between two requests while trials come. */
const REFRESH = 1500;
const MOST_AXES = 12;
/** The output of an AutoML job that has the model of its best trial. */
const BEST_MODEL = "best_model";

interface Props {
  job: { name: string; type: string; status: State };
  /** Counts the changes of the jobs, after which the trials are loaded again. */
  version: number;
  now: number;
  selected: string | null;
  onSelect: (name: string) => void;
}

/** The trials of a sweep, or the leaderboard of an AutoML job. */
export default function TrialsView({ job, version, now, selected, onSelect }: Props) {
  const api = useApi();
  const found = useQuery(`${api.own} ${job.name} trials`, () => api.getTrials(job.name));
  const refresh = useThrottle(found.reload, REFRESH);
  useEffect(() => {
    if (found.data && (!isOver(job.status) || !isOver(found.data.sweep.status))) refresh();
  }, [version, job.status]);
  if (found.error) return <div className="center"><ErrorMessage error={found.error} retry={found.reload} /></div>;
  if (!found.data) return <Loading what="the trials" />;
  if (!found.data.trials.length) return <Empty icon="curve" title="No trial yet"><p>{isOver(job.status) ? "It ended before its first trial." : "The first one appears here when it is there."}</p></Empty>;
  return <LoadedTrials found={found.data} isAutoml={job.type === "automl"} now={now} selected={selected} onSelect={onSelect} />;
}

function LoadedTrials({ found, isAutoml, now, selected, onSelect }: Omit<Props, "job" | "version"> & { found: SweepTrials; isAutoml: boolean }) {
  const { sweep } = found;
  const trials = useMemo(() => buildTrials(found.trials), [found]);
  const names = useMemo(() => listParameters(trials), [trials]);
  const [brushes, setBrushes] = useState<Brushes>({});
  const metric = sweep.primary_metric || "value";
  const axes = useMemo(
    () => (isAutoml ? [] : [...buildParameterAxes(trials, names.slice(0, MOST_AXES), sweep.search_space), buildMetricAxis(trials, metric)]),
    [trials, names, isAutoml],
  );
  const chosen = useMemo(() => filterByBrushes(axes, brushes, trials.length), [axes, brushes, trials]);
  const shown = trials.filter((_, k) => chosen[k]);
  const brushed = Object.keys(brushes);
  const table = <TrialTable trials={shown} names={names} sweep={sweep} isAutoml={isAutoml} now={now} selected={selected} onSelect={onSelect} />;
  return (
    <div className="trials">
      <Head sweep={sweep} isAutoml={isAutoml} count={trials.length} bestNode={trials.find(({ row }) => row.name === sweep.best?.name)?.row.node} />
      {isAutoml && table}
      <div className="trials-charts">
        {axes.length > 1 && (
          <section className="card chart wide">
            <header className="chart-head">
              <h3>Parallel coordinates</h3>
              <span className="muted">Drag along an axis to keep a part of the trials; the table below has them.</span>
              {brushed.map((name) => (
                <button key={name} className="chip" aria-label={`Drop the part of ${name}`} onClick={() => setBrushes(Object.fromEntries(Object.entries(brushes).filter(([one]) => one !== name)))}>{name}<Icon name="close" size={12} /></button>
              ))}
            </header>
            <ParallelCoordinates axes={axes} trials={trials} chosen={chosen} goal={sweep.goal} best={sweep.best?.name} selected={selected} brushes={brushes} onBrush={setBrushes} />
            {names.length > MOST_AXES && <p className="muted">The first {MOST_AXES} of {names.length} parameters have an axis.</p>}
          </section>
        )}
        <BestSoFar trials={trials} goal={sweep.goal} metric={metric} />
        {!isAutoml && <ImportanceBars trials={trials} metric={metric} />}
      </div>
      {brushed.length > 0 && <p role="status"><strong>{pluralize(shown.length, "trial")}</strong> of {trials.length} on the chosen parts of {brushed.join(", ")}.</p>}
      {!isAutoml && table}
      {isAutoml && isOver(sweep.status) && <AutomlReports job={sweep.name} />}
    </div>
  );
}

function Head({ sweep, isAutoml, count, bestNode }: { sweep: SweepTrials["sweep"]; isAutoml: boolean; count: number; bestNode: string | null | undefined }) {
  const api = useApi();
  const [isRegistering, setRegistering] = useState(false);
  const states = Object.entries(sweep.counts).map(([state, number]) => `${number} ${nameState(state as State).toLowerCase()}`);
  const rest = sweep.total_trials !== null && sweep.total_trials > count ? ` of ${sweep.total_trials}` : "";
  const best = sweep.best && readValue(sweep.best.value);
  const point = isAutoml ? formatParameter(sweep.best?.parameters.algorithm) : Object.entries(sweep.best?.parameters ?? {}).map(([name, value]) => `${name} ${formatParameter(value)}`).join(", ");
  return (
    <div className="trials-top">
      <dl className="trials-head">
        <div><dt>{sweep.goal === "maximize" ? "Maximizes" : "Minimizes"}</dt><dd>{sweep.primary_metric || "–"}</dd></div>
        <div><dt>{isAutoml ? "Best model" : "Best trial"}</dt><dd>{best !== null && sweep.best ? <><Link to={buildPath(api.workspace.folder, "jobs", sweep.best.name)}>{bestNode ?? sweep.best.name}</Link> <strong className="number">{Number.isNaN(best) ? "–" : formatNumber(best)}</strong> <span className="muted" title={point}>{point.length > 90 ? `${point.slice(0, 90)}…` : point}</span></> : "none yet"}</dd></div>
        <div><dt>Trials</dt><dd>{states.length === 1 && !rest ? states[0] : <>{count}{rest}{states.length > 0 && <>: <span className="muted">{states.join(", ")}</span></>}</>}</dd></div>
        {sweep.sampling_algorithm && !isAutoml && <div><dt>Sampling</dt><dd>{sweep.sampling_algorithm}</dd></div>}
      </dl>
      {isAutoml && sweep.status === "Completed" && sweep.best && <button className="button" onClick={() => setRegistering(true)}><Icon name="model" size={14} />Register the best model</button>}
      {isRegistering && <RegisterDialog job={sweep.name} output={BEST_MODEL} types={["mlflow_model"]} title="Register the best model" onClose={() => setRegistering(false)} />}
    </div>
  );
}
