import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useMemo, useRef } from "react";
import { useQuery } from "../api/useQuery";
import { useApi } from "../shell/context";
import { ErrorMessage, Loading } from "../shell/messages";
import { StateIcon } from "../shell/StateBadge";
import { useThrottle } from "../shell/useThrottle";
import { formatDuration } from "../text/format";
import { isOver } from "../text/states";
import { buildGantt, chooseTicks, sumLooks, type Gantt, type Stretch } from "./gantt";
import type { JobStore } from "./store";
import "./gantt.css";

const ROW_HEIGHT = 30;
const REFRESH = 1000;
const NAMES: Record<Stretch["look"], string> = {
  waiting: "Waiting", preparing: "Environment and data", running: "Command", storing: "Storing outputs", completed: "Completed", failed: "Not responding", canceled: "Canceling",
};

interface Props {
  store: JobStore;
  version: number;
  now: number;
  selected: string | null;
  onSelect: (name: string) => void;
}

/** Where the time went: a row for each step, and the path that decided the end. */
export function GanttView({ store, version, now, selected, onSelect }: Props) {
  const api = useApi();
  const found = useQuery(`${api.own} ${store.name} timeline`, () => api.getTimeline(store.name));
  const refresh = useThrottle(found.reload, REFRESH);
  useEffect(() => {
    if (found.data) refresh();
  }, [version]);
  const isRunning = store.top !== undefined && !isOver(store.top.status);
  const gantt = useMemo(() => (store.graph && found.data ? buildGantt(store.graph, found.data, now) : null), [store, found.data, version, isRunning ? now : 0]);
  if (found.error) return <ErrorMessage error={found.error} retry={found.reload} />;
  if (!gantt) return <Loading what="the timeline" />;
  return (
    <div className="gantt">
      <Legend gantt={gantt} />
      <Rows gantt={gantt} selected={selected} onSelect={onSelect} />
    </div>
  );
}

function Legend({ gantt }: { gantt: Gantt }) {
  const sums = sumLooks(gantt.rows);
  return (
    <ul className="gantt-legend" aria-label="Time of all steps together">
      {sums.map(([look, seconds]) => <li key={look}><span className={`swatch ${look}`} />{NAMES[look]} <strong className="number">{formatDuration(seconds)}</strong></li>)}
      {gantt.rows.some((row) => row.isCritical) && <li><span className="swatch critical" />Critical path</li>}
    </ul>
  );
}

function Rows({ gantt, selected, onSelect }: { gantt: Gantt; selected: string | null; onSelect: (name: string) => void }) {
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({ count: gantt.rows.length, getScrollElement: () => scroller.current, estimateSize: () => ROW_HEIGHT, overscan: 10 });
  const span = gantt.to - gantt.from;
  const place = (time: number) => `${((time - gantt.from) / span) * 100}%`;
  return (
    <div className="gantt-scroll" ref={scroller} tabIndex={0} role="region" aria-label="Timeline of the steps">
      <div className="gantt-axis" aria-hidden="true">
        <div>{chooseTicks(span).map((tick) => <span key={tick} style={{ left: place(gantt.from + tick) }}>{formatDuration(tick)}</span>)}</div>
      </div>
      <div style={{ height: virtual.getTotalSize(), position: "relative" }}>
        {virtual.getVirtualItems().map((item) => {
          const row = gantt.rows[item.index];
          return (
            <button key={row.name} className="gantt-row" data-selected={row.name === selected || undefined} data-critical={row.isCritical || undefined} style={{ transform: `translateY(${item.start}px)` }} onClick={() => onSelect(row.name)}>
              <span className="gantt-label" style={{ paddingLeft: 8 + 14 * row.depth }}><StateIcon state={row.status} size={14} /><span>{row.label.split("/").at(-1)}</span></span>
              <span className="gantt-bars" aria-label={row.stretches.map((one) => `${NAMES[one.look]} ${formatDuration(one.to - one.from)}`).join(", ")} role="img">
                {row.stretches.map((one) => (
                  <span key={one.from} className={`bar ${one.look}${row.isComposite ? " composite" : ""}`} title={`${NAMES[one.look]}: ${formatDuration(one.to - one.from)}`} style={{ left: place(one.from), width: `max(2px, ${((one.to - one.from) / span) * 100}%)` }} />
                ))}
              </span>
              <span className="gantt-time number">{row.isReused ? "reused" : row.seconds === null ? "–" : formatDuration(row.seconds)}</span>
            </button>
          );
        })}
      </div>
    </div>
  );
}
