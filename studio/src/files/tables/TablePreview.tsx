import { useState } from "react";
import { ErrorMessage, Loading } from "../../shell/messages";
import { formatCount, pluralize } from "../../text/format";
import type { TableContent } from "./collector";
import { ColumnCards } from "./ColumnCards";
import { Histogram } from "./Histogram";
import type { TableTask } from "./table.worker";
import { useTable } from "./useTable";
import "./tables.css";

/** A table's first rows, and what its columns hold. */
export default function TablePreview({ task, name }: { task: TableTask; name: string }) {
  const { content, error } = useTable(task);
  const [view, setView] = useState<"rows" | "columns">("rows");
  if (error) return <ErrorMessage error={error} />;
  if (!content) return <Loading what={name} />;
  if (!content.columns.length) return <p className="muted">The file is empty.</p>;
  return (
    <div className="table-preview">
      <div className="table-bar">
        <div className="segments" role="group" aria-label="View of the table">
          <button className="button small" aria-pressed={view === "rows"} onClick={() => setView("rows")}>Rows</button>
          <button className="button small" aria-pressed={view === "columns"} onClick={() => setView("columns")}>Columns</button>
        </div>
        <span className="muted number">{describeSize(content)}</span>
      </div>
      {describeFaults(content).map((fault) => <p key={fault} className="muted" role="note">{fault}</p>)}
      {view === "rows" || content.isCounting ? <Rows content={content} /> : <ColumnCards columns={content.columns} />}
    </div>
  );
}

function describeSize({ columns, read, total, hidden, rows, isCounting }: TableContent): string {
  if (isCounting) return "counting…";
  const width = `${pluralize(columns.length, "column")}${hidden ? ` of ${formatCount(columns.length + hidden)}` : ""}`;
  if (total === read) return `${pluralize(read, "row")}, ${width}${rows.length < read ? `; the first ${rows.length} are shown, all are counted` : ""}`;
  return `${total === null ? "" : `${pluralize(total, "row")}, `}${width}; the first ${formatCount(read)} rows are counted, ${formatCount(rows.length)} shown`;
}

/** What the table does not show as the file has it. */
function describeFaults({ longRows, isGarbled }: TableContent): string[] {
  const faults = [];
  if (longRows) faults.push(`${pluralize(longRows, "row")} ${longRows === 1 ? "has" : "have"} more values than there are columns; the values beyond are not shown.`);
  if (isGarbled) faults.push("Some bytes are not text in the file's encoding (UTF-8, unless an MLTable names another); \ufffd stands for them.");
  return faults;
}

function Rows({ content: { columns, rows, isCounting } }: { content: TableContent }) {
  const isNumber = columns.map(({ kind }) => kind === "integer" || kind === "number");
  return (
    <div className="table-scroll" tabIndex={0} role="region" aria-label="Rows of the file">
      <table>
        <thead>
          <tr>
            {columns.map((column, k) => (
              <th key={column.name} scope="col" className={isNumber[k] ? "number" : undefined}>
                {column.name}
                {isCounting ? <span className="histogram-text">&nbsp;</span> : <Histogram column={column} />}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{rows.map((row, r) => <tr key={r}>{row.map((cell, k) => <td key={k} className={isNumber[k] ? "number" : undefined} title={cell && cell.length > 40 ? cell : undefined}>{cell ?? <span className="muted">–</span>}</td>)}</tr>)}</tbody>
      </table>
    </div>
  );
}
