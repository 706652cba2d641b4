import { useMemo, useRef, useState } from "react";
import { lazy } from "../shell/lazyPart";
import { ErrorMessage } from "../shell/messages";
import { pluralize } from "../text/format";
import type { Axis } from "./detail";
import type { Range, Series } from "./series";
import { useDetail } from "./useDetail";

const Curve = lazy(() => import("./Curve"), <div className="curve" />);

/** Load what draws curves, while their values are asked for. */
export const preloadCurves = (): void => void Curve.preload().catch(() => {}); // drawing one tells the error

/** Load it once the page has nothing else to do: it is small, and a choice of the metrics then waits for their values alone. */
export function preloadCurvesWhenIdle(): () => void {
  if (!window.requestIdleCallback) {
    const timer = setTimeout(preloadCurves, 300);
    return () => clearTimeout(timer);
  }
  const request = requestIdleCallback(preloadCurves, { timeout: 1000 });
  return () => cancelIdleCallback(request);
}

interface Props {
  title: string;
  series: Series[];
  over: Axis;
  smoothing: number;
  isLogarithmic: boolean;
  /** The place of each series' colour; by default its own place. */
  colours?: number[];
  /** True if the time of each series begins at its own first value, as for jobs that ran on different days. */
  isEachFromZero?: boolean;
}

/** One metric: its curves, how much of them is drawn, and the part that was chosen. */
export function ChartCard({ title, series, over, smoothing, isLogarithmic, colours, isEachFromZero = false }: Props) {
  const [part, setPart] = useState<{ over: Axis; range: Range | null }>({ over, range: null });
  const range = part.over === over ? part.range : null;
  const setRange = (next: Range | null) => setPart({ over, range: next });
  const origins = useMemo(() => findOrigins(series, over, isEachFromZero), [series, over, isEachFromZero]);
  const detail = useDetail(series, { over, smoothing, range, origins });
  const own = useRef<HTMLElement>(null);
  const showAll = () => {
    setRange(null);
    own.current?.querySelector<HTMLElement>(".curve")?.focus(); // the button that had the focus goes
  };
  return (
    <section ref={own} className="chart card">
      <header className="curve-head">
        <h3>{title}</h3>
        <DrawnNote drawn={detail.drawn} total={detail.total} isPart={range !== null} />
        {isLogarithmic && <LeftOutNote count={countLeftOut(detail.series, over, range, origins)} isAtLeast={!(detail.drawn >= detail.total)} />}
        {range && <button className="button small" onClick={showAll}>Show all</button>}
      </header>
      {detail.fault && <ErrorMessage error={new Error(`${detail.fault.what} could not be loaded: ${detail.fault.error.message}`)} retry={detail.retry} />}
      <Curve title={title} series={detail.series} origins={origins} over={over} isLogarithmic={isLogarithmic} colours={colours} range={range} onRange={setRange} />
    </section>
  );
}

/** The step or the time of each series that is the zero of the axis. */
function findOrigins(series: Series[], over: Axis, isEachFromZero: boolean): number[] {
  if (over === "step") return series.map(() => 0);
  const first = Math.min(...series.map(({ times }) => times[0] ?? Infinity));
  return series.map(({ times }) => (isEachFromZero ? (times[0] ?? 0) : first));
}

function DrawnNote({ drawn, total, isPart }: { drawn: number; total: number; isPart: boolean }) {
  if (!(drawn < total)) return null;
  const numbers = `${drawn.toLocaleString("en-US")} of ${total.toLocaleString("en-US")} values${isPart ? " of this part" : ""} drawn`;
  return <span className="muted number" role="note" title="The highest and the lowest of each stretch are among them.">{numbers}{!isPart && ", peaks kept; drag over a part to see it closer"}</span>;
}

/** How many values of the part that is shown a logarithmic axis has no place for. */
function countLeftOut(series: Series[], over: Axis, range: Range | null, origins: number[]): number {
  const isShown = (place: number) => !range || (place >= range[0] && place <= range[1]);
  return series.reduce((count, one, k) => count + one.values.filter((value, at) => value <= 0 && isShown((over === "step" ? one.steps : one.times)[at] - origins[k])).length, 0);
}

function LeftOutNote({ count, isAtLeast }: { count: number; isAtLeast: boolean }) {
  if (!count) return null;
  return <span className="muted number" role="note">{isAtLeast && "at least "}{pluralize(count, "value")} ≤ 0 {count === 1 ? "is" : "are"} not drawn</span>;
}
