import { useVirtualizer } from "@tanstack/react-virtual";
import { useMemo, useRef, useState } from "react";
import type { SweepTrials } from "../api/types";
import { buildComparisonQuery, MOST_JOBS } from "../compare/address";
import { useApi } from "../shell/context";
import { Icon } from "../shell/icons";
import { Link } from "../shell/Link";
import { buildPath } from "../shell/router";
import { StateBadge } from "../shell/StateBadge";
import { formatNumber, formatRunTime, pluralize } from "../text/format";
import { formatParameter, sortByGoal, sortTrials, type Trial } from "./model";

interface Props {
  trials: Trial[];
  names: string[];
  sweep: SweepTrials["sweep"];
  isAutoml: boolean;
  now: number;
  selected: string | null;
  onSelect: (name: string) => void;
}

const ROW_HEIGHT = 37;
const MOST_COLUMNS = 24;

/** The trials as a table that sorts by each column; of models, with their settings as one. */
export function TrialTable({ trials, names, sweep, isAutoml, now, selected, onSelect }: Props) {
  const api = useApi();
  const [sort, setSort] = useState(() => sortByGoal(sweep.goal));
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useMemo(() => sortTrials(trials, sort), [trials, sort]);
  const virtual = useVirtualizer({ count: rows.length, getScrollElement: () => scroller.current, estimateSize: () => ROW_HEIGHT, overscan: 12 });
  const items = virtual.getVirtualItems();
  const own = isAutoml ? names.filter((name) => name === "algorithm") : names.slice(0, MOST_COLUMNS);
  const columns = [
    { key: "number", name: isAutoml ? "Model" : "Trial" }, { key: "value", name: sweep.primary_metric || "Value" }, { key: "state", name: "State" },
    ...own.map((name) => ({ key: `param.${name}`, name: isAutoml ? "Algorithm" : name })), { key: "seconds", name: "Duration" },
  ];
  function toggle(name: string) {
    const after = new Set(chosen);
    if (!after.delete(name)) after.add(name);
    setChosen(after);
  }
  const [before, after] = [items[0]?.start ?? 0, virtual.getTotalSize() - (items.at(-1)?.end ?? 0)];
  const width = columns.length + 1 + Number(isAutoml);
  return (
    <section className="card trial-card">
      <div className="trial-bar">
        <h3>{isAutoml ? "Leaderboard" : "Trials"}</h3>
        {chosen.size > 1 && chosen.size <= MOST_JOBS && <Link className="button small" to={`${buildPath(api.workspace.folder, "compare")}?${buildComparisonQuery([...chosen])}`}><Icon name="compare" size={14} />Compare {chosen.size}</Link>}
        {chosen.size > 0 && <button className="button quiet small" onClick={() => setChosen(new Set())}>Clear selection</button>}
        <span className="muted">{pluralize(rows.length, "row")}</span>
      </div>
      <div className="trial-scroll" ref={scroller} tabIndex={0} role="region" aria-label={isAutoml ? "Leaderboard" : "Table of trials"}>
        <table className="trial-table" aria-rowcount={rows.length}>
          <thead>
            <tr>
              <th><span className="visually-hidden">Selected</span></th>
              {columns.map(({ key, name }) => {
                const isSorted = sort.replace(/^-/, "") === key;
                return (
                  <th key={key} aria-sort={!isSorted ? undefined : sort.startsWith("-") ? "descending" : "ascending"}>
                    <button onClick={() => setSort(sort === key ? `-${key}` : key)}>{name}{isSorted && <Icon name={sort.startsWith("-") ? "down" : "up"} size={12} />}</button>
                  </th>
                );
              })}
              {isAutoml && <th>Settings</th>}
            </tr>
          </thead>
          <tbody>
            {before > 0 && <tr style={{ height: before }} aria-hidden="true"><td colSpan={width} /></tr>}
            {items.map((item) => {
              const trial = rows[item.index];
              const { row } = trial;
              return (
                <tr key={row.name} data-selected={row.name === selected || undefined} data-best={row.name === sweep.best?.name || undefined}>
                  <td><input type="checkbox" aria-label={`Select ${row.node}`} checked={chosen.has(row.name)} onChange={() => toggle(row.name)} /></td>
                  <td><button className="trial-name" aria-pressed={row.name === selected} onClick={() => onSelect(row.name)}>{row.node}</button>{row.name === sweep.best?.name && <span className="best-mark"><Icon name="check" size={12} />best</span>}</td>
                  <td className="number">{row.value === null ? "" : formatNumber(trial.value)}</td>
                  <td>{trial.isTerminated ? <span className="muted" title={row.error?.message}>Stopped early</span> : <StateBadge state={row.status} />}</td>
                  {own.map((name) => <td key={name} className={typeof trial.point[name] === "number" ? "number" : undefined}>{formatParameter(trial.point[name])}</td>)}
                  <td className="number">{row.reused ? "reused" : formatRunTime(row, now)}</td>
                  {isAutoml && <td className="settings" title={describeSettings(trial)}>{describeSettings(trial)}</td>}
                </tr>
              );
            })}
            {after > 0 && <tr style={{ height: after }} aria-hidden="true"><td colSpan={width} /></tr>}
          </tbody>
        </table>
      </div>
    </section>
  );
}

const describeSettings = ({ point }: Trial): string => Object.entries(point).filter(([name]) => name !== "algorithm").map(([name, value]) => `${name} ${formatParameter(value)}`).join(", ");
