import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef, useState, useSyncExternalStore, type CSSProperties, type KeyboardEvent } from "react";
import type { JobRow, JsonNumber } from "../api/types";
import { useApi } from "../shell/context";
import { Icon } from "../shell/icons";
import { Link } from "../shell/Link";
import { buildPath, go, setQuery } from "../shell/router";
import { StateBadge } from "../shell/StateBadge";
import { useNow } from "../shell/useNow";
import { formatAgo, formatNumber, formatRunTime, formatTime } from "../text/format";
import { isOver } from "../text/states";
import { METRIC_SORT, turnSort, type JobFilter } from "./filter";
import type { RowMetrics } from "./metrics";
import type { JobPages } from "./pages";
import { StepProgress } from "./StepProgress";

export const ROW_HEIGHT = 48;
const HEAD_HEIGHT = 36;
const OVERSCAN = 8;
/** The pixels of a column of a metric or a parameter, by its name, with the mark of a sorted one. */
const measureColumn = (name: string): number => Math.min(150, Math.max(84, 7 * name.length + 30));
const COLUMNS = [
  { key: "status", name: "State" },
  { key: "name", name: "Job" },
  { key: "experiment", name: "Experiment" },
  { key: "type", name: "Type" },
  { key: "owner", name: "Owner" },
  { key: "created", name: "Created" },
  { key: "duration", name: "Duration" },
] as const;

interface Props {
  pages: JobPages;
  sort: string;
  metrics: RowMetrics;
  /** The metrics and the parameters that have a column. */
  columns: Pick<JobFilter, "metric" | "param">;
  selected: ReadonlySet<string>;
  onSelect: (name: string) => void;
}

/** The table of jobs: as long as the server's, with the rows of the window in the document. */
export function JobTable({ pages, sort, metrics, columns, selected, onSelect }: Props) {
  const version = useSyncExternalStore(pages.subscribe, pages.getVersion);
  useSyncExternalStore(metrics.subscribe, metrics.getVersion);
  const api = useApi();
  const scroller = useRef<HTMLDivElement>(null);
  const [active, setActive] = useState(-1);
  const widths = [...columns.param, ...columns.metric].map(measureColumn);
  const extra = widths.length;
  const count = pages.total ?? 0;
  const virtual = useVirtualizer({ count, getScrollElement: () => scroller.current, estimateSize: () => ROW_HEIGHT, overscan: OVERSCAN, scrollMargin: HEAD_HEIGHT });
  const items = virtual.getVirtualItems();
  const [first, last] = [items[0]?.index ?? 0, items.at(-1)?.index ?? 20];
  useEffect(() => pages.show(first, last), [pages, first, last]);
  const shown = items.map((item) => pages.getRow(item.index));
  useEffect(() => void metrics.show(shown.filter((row) => row !== undefined)), [metrics, version, first, last]);
  const now = useNow(1, shown.some((row) => row && row.start !== null && row.end === null));

  function press(event: KeyboardEvent) {
    if (event.target !== event.currentTarget) return;
    const step = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, PageDown: 12, PageUp: -12, Home: -count, End: count }[event.key];
    const row = pages.getRow(active);
    if (step !== undefined) {
      const next = Math.max(0, Math.min(count - 1, active + step));
      setActive(next);
      virtual.scrollToIndex(next);
    } else if (event.key === "Enter" && row) go(buildPath(api.workspace.folder, "jobs", row.name));
    else if ((event.key === " " || event.key === "x") && row) onSelect(row.name);
    else return;
    event.preventDefault();
  }

  return (
    <div className={extra ? "job-table card with-metrics" : "job-table card"} style={{ "--metrics": `${widths.reduce((sum, width) => sum + width, 0)}px`, "--metric-columns": widths.map((width) => `minmax(0, ${width}fr)`).join(" ") } as CSSProperties}>
      <div className="job-rows" role="table" aria-label="Jobs" aria-description="Arrows move, Enter opens, Space selects" aria-rowcount={count} ref={scroller} tabIndex={0} onKeyDown={press}>
        <div className="job-row head" role="row">
        <span role="columnheader"><span className="visually-hidden">Selected</span></span>
        {COLUMNS.map((column) => (
          <SortHead key={column.key} sortKey={column.key} name={column.name} sort={sort} />
        ))}
        {extra > 0 && (
          <span className="metric-cells" role="presentation">
            {columns.param.map((name) => <span key={`param ${name}`} role="columnheader" className="cell" title={`Parameter ${name}`}>{name}</span>)}
            {columns.metric.map((name) => <SortHead key={name} sortKey={`${METRIC_SORT}${name}`} name={name} sort={sort} />)}
          </span>
        )}
      </div>
        <div className="tall" role="rowgroup" style={{ height: virtual.getTotalSize() }}>
          {items.map((item, k) => (
            <div key={item.key} className="job-row" role="row" aria-rowindex={item.index + 1} data-active={item.index === active || undefined} style={{ transform: `translateY(${item.start - HEAD_HEIGHT}px)` }}>
              {shown[k] ? <Cells row={shown[k]} folder={api.workspace.folder} now={now} isSelected={selected.has(shown[k].name)} onSelect={onSelect} metrics={metrics} columns={columns} /> : <span className="ghost" role="cell" />}
            </div>
          ))}
        </div>
      </div>
    </div>
  );
}

/** The head of a column that sorts by it. */
function SortHead({ sortKey, name, sort }: { sortKey: string; name: string; sort: string }) {
  const isSorted = sort === sortKey || sort === `-${sortKey}`;
  return (
    <span role="columnheader" className={`cell ${sortKey.startsWith(METRIC_SORT) ? "" : sortKey}`} title={name} aria-sort={!isSorted ? undefined : sort.startsWith("-") ? "descending" : "ascending"}>
      <button onClick={() => setQuery({ sort: turnSort(sort, sortKey) })}>
        <span className="head-name">{name}</span>
        {isSorted && <Icon name={sort.startsWith("-") ? "down" : "up"} size={12} />}
      </button>
    </span>
  );
}

interface CellsProps extends Pick<Props, "metrics" | "columns" | "onSelect"> {
  row: JobRow;
  folder: string;
  now: number;
  isSelected: boolean;
}

function Cells({ row, folder, now, isSelected, onSelect, metrics, columns }: CellsProps) {
  const title = row.display_name ?? row.name;
  return (
    <>
      <span role="cell" className="cell select"><input type="checkbox" aria-label={`Select ${title}`} checked={isSelected} onChange={() => onSelect(row.name)} /></span>
      <span role="cell" className="cell status"><StateBadge state={row.status} /></span>
      <span role="cell" className="cell name">
        <Link to={buildPath(folder, "jobs", row.name)}>{title}</Link>
        <span className="sub" title={row.error ?? undefined}>{row.status === "Failed" && row.error ? row.error : title === row.name ? "" : row.name}</span>
      </span>
      <span role="cell" className="cell experiment">{row.experiment}</span>
      <span role="cell" className="cell type">{row.type}</span>
      <span role="cell" className="cell owner">{row.owner}</span>
      <span role="cell" className="cell created" title={formatTime(row.created)}>{formatAgo(row.created, now)}</span>
      <span role="cell" className="cell duration number">
        {formatRunTime(row, now) || "–"}
        {row.steps && !isOver(row.status) && <StepProgress steps={row.steps} />}
      </span>
      {columns.metric.length + columns.param.length > 0 && (
        <span className="metric-cells number" role="presentation">
          {columns.param.map((name) => <span key={`param ${name}`} role="cell" className="cell" title={metrics.getParameter(row.name, name)}>{metrics.getParameter(row.name, name)}</span>)}
          {columns.metric.map((name) => <span key={name} role="cell" className="cell">{renderMetric(metrics.get(row.name, name))}</span>)}
        </span>
      )}
    </>
  );
}

const renderMetric = (value: JsonNumber | undefined): string => (value === undefined ? "" : typeof value === "number" ? formatNumber(value) : value);
