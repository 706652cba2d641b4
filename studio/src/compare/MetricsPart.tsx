import { useMemo, useState } from "react";
import type { ComparedJob, MetricRun } from "../api/types";
import { useQuery } from "../api/useQuery";
import { ChartCard } from "../curves/ChartCard";
import { choosePointsOfPage } from "../curves/points";
import { useApi } from "../shell/context";
import { Icon } from "../shell/icons";
import { Empty, ErrorMessage, Loading } from "../shell/messages";
import { setQuery } from "../shell/router";
import { formatNumber, pluralize } from "../text/format";
import { toggle } from "../jobs/filter";
import { Columns } from "./Columns";
import { buildComparedCharts, buildMetricRows, formatChange, getBest, type JobMetric, type MetricRow } from "./metrics";
import { usePolling } from "./usePolling";

interface Props {
  jobs: ComparedJob[];
  flipped: string[];
  isAll: boolean;
}

/** The metrics of the jobs: the last and the best value of each, and their curves over each other. */
export default function MetricsPart({ jobs, flipped, isAll }: Props) {
  const api = useApi();
  const found = useQuery(`${api.own} metrics ${jobs.map((job) => `${job.name} ${job.status}`).join(",")}`, () => Promise.all(jobs.map((job) => api.getMetrics(job.name, { points: choosePointsOfPage(), extremes: true }))));
  usePolling(jobs, found.reload);
  const runs = useMemo(() => found.data?.map((one) => one.runs), [found.data]);
  if (found.error) return <ErrorMessage error={found.error} retry={found.reload} />;
  if (!runs) return <Loading what="the metrics" />;
  return <LoadedMetrics jobs={jobs} runs={runs} flipped={flipped} isAll={isAll} />;
}

function LoadedMetrics({ jobs, runs, flipped, isAll }: Props & { runs: MetricRun[][] }) {
  const rows = useMemo(() => buildMetricRows(runs, flipped), [runs, flipped]);
  const differing = rows.filter((row) => row.differs && !row.isSystem);
  const shown = isAll ? rows : rows.filter((row) => row.differs);
  const [own, machine] = [shown.filter((row) => !row.isSystem), shown.filter((row) => row.isSystem)];
  if (!rows.length) return <Empty icon="curve" title="None of them logged a metric"><p>What a job logs with MLflow appears here: <code>mlflow.log_metric("loss", value, step=n)</code>.</p></Empty>;
  return (
    <div className="compare-part">
      <div className="curve-bar">
        <strong>{pluralize(differing.length, "metric")} {differing.length === 1 ? "differs" : "differ"}</strong>
        <label><input type="checkbox" checked={isAll} onChange={(event) => setQuery({ all: event.target.checked ? "1" : null }, { replace: true })} /> Show equal rows</label>
      </div>
      {own.length > 0 && <MetricTable label="Metrics of the jobs" jobs={jobs} rows={own} flipped={flipped} />}
      {machine.length > 0 && <><h3>Use of the machine</h3><MetricTable label="Use of the machine by the jobs" jobs={jobs} rows={machine} flipped={flipped} /></>}
      <Curves jobs={jobs} runs={runs} />
    </div>
  );
}

function MetricTable({ label, jobs, rows, flipped }: { label: string; jobs: ComparedJob[]; rows: MetricRow[]; flipped: string[] }) {
  return (
    <div className="compare-scroll" tabIndex={0} role="region" aria-label={label}>
      <table className="compare-table metrics-table">
        <Columns first="Metric" jobs={jobs} />
        <tbody>
          {rows.map((row) => (
            <tr key={row.name} data-differs={row.differs || undefined}>
              <th scope="row">
                {row.name}
                {!row.isSystem && (
                  <button className="goal" title="Take the other end as the better one" onClick={() => setQuery({ flip: toggle(flipped, row.name).join(",") || null }, { replace: true })}>
                    <Icon name={row.isLowerBetter ? "down" : "up"} size={12} />{row.isLowerBetter ? "lower" : "higher"} is better
                  </button>
                )}
              </th>
              {row.values.map((value, k) => <td key={jobs[k].name}>{value ? <MetricCell row={row} value={value} place={k} /> : <span className="muted">–</span>}</td>)}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function MetricCell({ row, value, place }: { row: MetricRow; value: JobMetric; place: number }) {
  const first = row.values[0];
  const change = place > 0 && first ? value.last - first.last : 0;
  const isBest = row.bestLast.includes(place);
  return (
    <span className="metric-cell number">
      <span className={isBest ? "last best" : "last"}>{formatNumber(value.last)}{isBest && <span className="best-mark"><Icon name="check" size={12} />best</span>}</span>
      {Number.isFinite(change) && change !== 0 && <span className={row.isSystem ? "change muted" : change < 0 === row.isLowerBetter ? "change better" : "change worse"}>{formatChange(value.last, first!.last)}</span>}
      {value.count > 1 && <span className="muted">{row.isSystem ? `highest ${formatNumber(value.highest)}` : <>{row.isLowerBetter ? "lowest" : "highest"} {formatNumber(getBest(value, row.isLowerBetter))}{row.bestEver.includes(place) && ", best of all"}</>}</span>}
    </span>
  );
}

function Curves({ jobs, runs }: { jobs: ComparedJob[]; runs: MetricRun[][] }) {
  const [over, setOver] = useState<"step" | "time">("step");
  const [smoothing, setSmoothing] = useState(0);
  const [isLogarithmic, setLogarithmic] = useState(false);
  const charts = useMemo(() => buildComparedCharts(jobs.map((job, k) => ({ name: job.name, title: job.display_name ? `${job.display_name} (${job.name.slice(0, 18)})` : job.name, runs: runs[k] }))), [jobs, runs]);
  if (!charts.length) return <p className="muted">No metric has more than one value, so there are no curves.</p>;
  return (
    <>
      <div className="curve-bar">
        <select className="field" aria-label="Axis" value={over} onChange={(event) => setOver(event.target.value as "step" | "time")}>
          <option value="step">Over steps</option>
          <option value="time">Over time since each began</option>
        </select>
        <label>Smoothing <input type="range" min="0" max="0.98" step="0.02" value={smoothing} onChange={(event) => setSmoothing(Number(event.target.value))} /></label>
        <label><input type="checkbox" checked={isLogarithmic} onChange={(event) => setLogarithmic(event.target.checked)} /> Logarithmic</label>
      </div>
      <div className="compare-charts">
        {charts.map((chart) => (
          <ChartCard key={chart.metric} title={chart.metric} series={chart.series} over={over} smoothing={smoothing} isLogarithmic={isLogarithmic} colours={chart.jobs} isEachFromZero />
        ))}
      </div>
    </>
  );
}
