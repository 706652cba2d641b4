import { useSyncExternalStore } from "react";
import { useQuery } from "../api/useQuery";
import { useApi } from "../shell/context";
import { setQuery } from "../shell/router";
import { MOST_COLUMNS, toggle, type JobFilter } from "./filter";
import { Choices } from "./FilterBar";
import { Menu } from "./Menu";
import type { RowMetrics } from "./metrics";

/** The choice of the metrics and parameters that have a column, among those that jobs of the workspace logged. */
export function ColumnMenu({ filter, metrics }: { filter: JobFilter; metrics: RowMetrics }) {
  return <Menu label="Columns" count={filter.metric.length + filter.param.length}>{() => <Columns filter={filter} metrics={metrics} />}</Menu>;
}

function Columns({ filter, metrics }: { filter: JobFilter; metrics: RowMetrics }) {
  const api = useApi();
  useSyncExternalStore(metrics.subscribe, metrics.getVersion);
  const found = useQuery(`${api.own} columns`, () => api.getColumns());
  const sides = [
    { key: "metric", name: "Metrics", names: [...metrics.names, ...(found.data?.metrics ?? [])] },
    { key: "param", name: "Parameters", names: [...metrics.parameterNames, ...(found.data?.parameters ?? [])] },
  ] as const;
  return (
    <>
      {sides.map(({ key, name, names }) => (
        <section key={key}>
          <h3>{name}</h3>
          <Choices name={name} options={[...new Set(names)].sort().map((one): [string, number] => [one, 0])} chosen={filter[key]} onToggle={(one) => setQuery({ [key]: toggle(filter[key], one).slice(-MOST_COLUMNS) })} />
          {!names.length && <p className="muted">{key === "metric" ? "No job has logged one." : "No job has one."}</p>}
        </section>
      ))}
      <p className="muted">At most {MOST_COLUMNS} of each are shown.</p>
    </>
  );
}
