import type { ReactNode } from "react";
import { Icon } from "../../shell/icons";
import { setQuery } from "../../shell/router";
import { turnSort } from "./query";

export interface Column<Row> {
  name: string;
  /** The key by which the server sorts by this column. */
  sort?: string;
  /** "main" is never hidden; "wide" is hidden where there is little room. */
  look?: "main" | "wide" | "number";
  render: (row: Row) => ReactNode;
}

interface Props<Row> {
  label: string;
  columns: Column<Row>[];
  rows: Row[];
  getKey: (row: Row) => string;
  sort?: string;
}

/** A table whose rows lead to pages. */
export function ListTable<Row>({ label, columns, rows, getKey, sort = "" }: Props<Row>) {
  return (
    <div className="list-scroll card" tabIndex={0} role="region" aria-label={label}>
      <table className="list-table">
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.name} scope="col" className={column.look} aria-sort={sort === column.sort ? "ascending" : sort === `-${column.sort}` ? "descending" : undefined}>
                {column.sort ? (
                  <button onClick={() => setQuery({ sort: turnSort(sort, column.sort!), page: null })}>
                    {column.name}
                    {sort.replace("-", "") === column.sort && <Icon name={sort.startsWith("-") ? "down" : "up"} size={12} />}
                  </button>
                ) : column.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={getKey(row)}>{columns.map((column) => <td key={column.name} className={column.look}>{column.render(row)}</td>)}</tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
