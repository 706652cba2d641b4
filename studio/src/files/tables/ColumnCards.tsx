import { formatCount } from "../../text/format";
import { Histogram } from "./Histogram";
import type { ColumnSummary } from "./summary";

/** What each column of a table holds, one row for each. */
export function ColumnCards({ columns }: { columns: ColumnSummary[] }) {
  return (
    <div className="table-scroll" tabIndex={0} role="region" aria-label="Columns of the file">
      <table className="columns">
        <thead><tr><th scope="col">Column</th><th scope="col">Type</th><th scope="col" className="number">Missing</th><th scope="col" className="number">Distinct</th><th scope="col">Values</th><th scope="col" className="number">Least</th><th scope="col" className="number">Mean</th><th scope="col" className="number">Greatest</th></tr></thead>
        <tbody>
          {columns.map((column) => (
            <tr key={column.name}>
              <th scope="row">{column.name}</th>
              <td>{column.kind}{column.stored && column.stored !== column.kind && <span className="muted"> {column.stored}</span>}</td>
              <td className="number">{column.missing ? `${formatCount(column.missing)} (${formatShare(column.missing / column.count)})` : "0"}</td>
              <td className="number">{column.isDistinctExact ? "" : "over "}{formatCount(column.distinct)}</td>
              <td>{column.kind === "text" || column.kind === "boolean" ? <Frequent column={column} /> : <Histogram column={column} width={132} />}</td>
              <td className="number">{column.min ?? ""}</td>
              <td className="number">{column.mean ?? ""}</td>
              <td className="number">{column.max ?? ""}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Frequent({ column: { bins, distinct } }: { column: ColumnSummary }) {
  if (!bins.length || (bins[0].count === 1 && distinct > 1)) return <span className="muted">mostly different</span>;
  return <span className="frequent">{bins.slice(0, 3).map((bin) => <span key={bin.label}><span>{bin.label}</span> <span className="muted number">× {formatCount(bin.count)}</span></span>)}{distinct > 3 && <span className="muted">…</span>}</span>;
}

function formatShare(share: number): string {
  const percent = share * 100;
  return percent < 0.1 ? "< 0.1 %" : percent > 99.9 && share < 1 ? "> 99.9 %" : `${percent >= 10 ? percent.toFixed(0) : percent.toFixed(1)} %`;
}
