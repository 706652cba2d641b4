import { useState } from "react";
import { useQuery } from "../api/useQuery";
import { useApi } from "../shell/context";
import { setQuery } from "../shell/router";
import { buildCondition, COMPARISONS, type JobFilter } from "./filter";

/** Asks for a condition on the last value of a metric. */
export function ConditionForm({ filter, close }: { filter: JobFilter; close: () => void }) {
  const api = useApi();
  const found = useQuery(`${api.own} columns`, () => api.getColumns());
  const [name, setName] = useState("");
  const [comparison, setComparison] = useState<string>(COMPARISONS[0]);
  const [value, setValue] = useState("");
  const condition = buildCondition(name, comparison, value);
  return (
    <form className="condition-form" onSubmit={(event) => {
      event.preventDefault();
      if (!condition) return;
      const metric = name.trim();
      setQuery({ where: [...new Set([...filter.where, condition])], metric: [...new Set([metric, ...filter.metric])] });
      close();
    }}>
      <label><span className="visually-hidden">Metric</span><input className="field" autoFocus list="metric-names" value={name} placeholder="loss" onChange={(event) => setName(event.target.value)} /></label>
      <datalist id="metric-names">{found.data?.metrics.map((one) => <option key={one} value={one} />)}</datalist>
      <select className="field" aria-label="Comparison" value={comparison} onChange={(event) => setComparison(event.target.value)}>{COMPARISONS.map((one) => <option key={one}>{one}</option>)}</select>
      <label><span className="visually-hidden">Number</span><input className="field" inputMode="decimal" value={value} placeholder="0.3" onChange={(event) => setValue(event.target.value)} /></label>
      <button className="button primary" disabled={!condition}>Filter</button>
      <p className="muted">The last value of a metric that the job itself logged; metrics of a pipeline's steps are the steps' own. Without a number: all jobs that logged it. NaN meets no condition. A click on the metric's column sorts by it.</p>
    </form>
  );
}
