import { useMemo, useState } from "react";
import type { MetricRun } from "../api/types";
import { Empty } from "../shell/messages";
import { formatNumber } from "../text/format";
import { ChartCard } from "./ChartCard";
import { buildCharts } from "./series";

/** The metrics of runs: a number where there is one value, a curve where there are several. */
export function MetricCharts({ job, runs }: { job: string; runs: MetricRun[] }) {
  const [over, setOver] = useState<"step" | "time">("step");
  const [smoothing, setSmoothing] = useState(0);
  const [isLogarithmic, setLogarithmic] = useState(false);
  const charts = useMemo(() => buildCharts(job, runs), [job, runs]);
  if (!charts.length) {
    return <Empty icon="curve" title="No metrics"><p>What the job logs with MLflow appears here: <code>mlflow.log_metric("loss", value, step=n)</code>.</p></Empty>;
  }
  const curves = charts.filter((chart) => chart.series.some((one) => one.values.length > 1));
  const single = charts.filter((chart) => !curves.includes(chart));
  return (
    <div className="metrics">
      {single.length > 0 && (
        <div className="tiles">
          {single.flatMap((chart) => chart.series.map((one) => (
            <div className="tile card" key={`${chart.metric} ${one.source.run}`}>
              <h3>{chart.metric}</h3>
              <strong className="number">{formatNumber(one.values[0])}</strong>
              {one.label !== "this job" && <span className="muted">{one.label}</span>}
            </div>
          )))}
        </div>
      )}
      {curves.length > 0 && (
        <div className="curve-bar">
          <select className="field" aria-label="Axis" value={over} onChange={(event) => setOver(event.target.value as "step" | "time")}>
            <option value="step">Over steps</option>
            <option value="time">Over time</option>
          </select>
          <label>Smoothing <input type="range" min="0" max="0.98" step="0.02" value={smoothing} onChange={(event) => setSmoothing(Number(event.target.value))} /></label>
          <label><input type="checkbox" checked={isLogarithmic} onChange={(event) => setLogarithmic(event.target.checked)} /> Logarithmic</label>
        </div>
      )}
      {curves.map((chart) => (
        <ChartCard key={chart.metric} title={chart.metric} series={chart.series} over={over} smoothing={smoothing} isLogarithmic={isLogarithmic} />
      ))}
    </div>
  );
}
