import { formatCount } from "../../text/format";
import type { ColumnSummary } from "./summary";

const WIDTH = 84;
const HEIGHT = 22;

/** Bars of how a column's values are distributed; their words are in its title. */
export function Histogram({ column, width = WIDTH }: { column: ColumnSummary; width?: number }) {
  const { bins, count } = column;
  const most = Math.max(1, ...bins.map((bin) => bin.count));
  const each = width / Math.max(1, bins.length);
  if (!bins.length) return <span className="histogram-text">{count === column.missing ? "empty" : `${column.isDistinctExact ? "" : "over "}${formatCount(column.distinct)} values`}</span>;
  return (
    <svg className="histogram" width={width} height={HEIGHT} role="img" aria-label={`${column.name}: ${bins.map((bin) => `${bin.label}: ${formatCount(bin.count)}`).join("; ")}`}>
      {bins.map((bin, k) => {
        const height = bin.count ? Math.max(1.5, (bin.count / most) * HEIGHT) : 0;
        return <rect key={k} x={k * each + 0.5} y={HEIGHT - height} width={Math.min(each - 1, 24)} height={height}><title>{`${bin.label}: ${formatCount(bin.count)}`}</title></rect>;
      })}
    </svg>
  );
}
