import { useMemo, useState } from "react";
import { lazy } from "../shell/lazyPart";
import type { Axis } from "./detail";
import type { Range, Series } from "./series";
import { useDetail } from "./useDetail";

const Curve = lazy(() => import("./Curve"), <div className="curve" />);

/** Load what draws curves, while their values are asked for. */
export const preloadCurves = (): void => void Curve.preload().catch(() => {}); // drawing one tells the error

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
  return (
    <section className="chart card">
      <header className="curve-head">
        <h3>{title}</h3>
        <DrawnNote drawn={detail.drawn} total={detail.total} isPart={range !== null} />
        {range && <button className="button small" onClick={() => setRange(null)}>Show all</button>}
      </header>
      <Curve series={detail.series} origins={origins} over={over} isLogarithmic={isLogarithmic} colours={colours} range={range} onRange={setRange} />
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
