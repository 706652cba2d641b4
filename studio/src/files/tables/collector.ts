import { ColumnTally, formatTime, type ColumnSummary, type Value } from "./summary";

export const MOST_ROWS = 100_000;
export const MOST_CELLS = 2_000_000;
export const MOST_BYTES = 32 * 1024 * 1024;
const MOST_COLUMNS = 300;
export const SHOWN_ROWS = 200;

/** A table as a page shows it: its columns, and its first rows as texts. */
export interface TableContent {
  columns: ColumnSummary[];
  /** The first rows; null is a cell without a value. */
  rows: (string | null)[][];
  /** How many rows were read and counted. */
  read: number;
  /** How many rows there are, if that is known. */
  total: number | null;
  /** Columns that are there and not shown. */
  hidden: number;
  /** True while only the first rows are here, and the rest is being counted. */
  isCounting: boolean;
  /** Rows with more values than there are columns; these values are not shown. */
  longRows: number;
  /** True if bytes of the file are no text in its encoding. */
  isGarbled: boolean;
}

export interface Window {
  from: number;
  to: number;
}

interface Column {
  tally: ColumnTally;
  shown: (string | null)[];
}

/** Gathers the rows of one table from its files; columns are known by their names. */
export class TableCollector {
  private columns = new Map<string, Column>();
  private current: (Column | null)[] = [];
  private passed = 0;
  private hidden = new Set<string>();
  private longRows = 0;
  read = 0;
  isGarbled = false;

  constructor(
    private readonly window: Window = { from: 0, to: Infinity },
    private readonly isWanted: (name: string) => boolean = () => true,
  ) {}

  /** Begin with a file of these columns. */
  begin(names: string[], stored: (string | undefined)[] = []): void {
    this.current = names.map((name, place) => {
      if (!this.isWanted(name)) return null;
      const known = this.columns.get(name);
      if (known) return known;
      if (this.columns.size >= MOST_COLUMNS) return this.hidden.add(name) && null;
      const made: Column = { tally: new ColumnTally(name, stored[place]), shown: [] };
      for (let k = 0; k < this.read; k++) made.tally.add(null);
      this.columns.set(name, made);
      return made;
    });
  }

  /** Note columns that are there and not read. */
  hide(names: string[]): void {
    for (const name of names) if (this.isWanted(name)) this.hidden.add(name);
  }

  get isFull(): boolean {
    return this.read >= MOST_ROWS || this.read * Math.max(1, this.columns.size) >= MOST_CELLS || this.passed >= this.window.to;
  }

  /** True if the rows that the table is cut to have all been read. */
  get isAtEnd(): boolean {
    return this.passed >= this.window.to;
  }

  addTexts(cells: string[]): void {
    if (cells.length > this.current.length && cells.slice(this.current.length).some((cell) => cell !== "")) this.longRows += 1;
    this.addRow((column, place) => {
      column.tally.addText(cells[place]);
      return cells[place] ?? null;
    });
  }

  addValues(cells: unknown[]): void {
    this.addRow((column, place) => {
      const [value, text] = describeValue(cells[place]);
      column.tally.add(value, text ?? undefined);
      return text;
    });
  }

  private addRow(add: (column: Column, place: number) => string | null): void {
    const place = this.passed++;
    if (place < this.window.from || place >= this.window.to) return;
    const isShown = this.read < SHOWN_ROWS;
    this.current.forEach((column, k) => {
      if (!column) return;
      const text = add(column, k);
      if (isShown) column.shown[this.read] = text;
    });
    this.read += 1;
    if (this.columns.size > this.current.length) {
      const seen = new Set(this.current);
      for (const column of this.columns.values()) if (!seen.has(column)) column.tally.add(null);
    }
  }

  /** The table as far as it was read; `total` is null if it has more rows than that. */
  finish(total: number | null, isCounting = false): TableContent {
    const columns = [...this.columns.values()];
    const rows = Array.from({ length: Math.min(this.read, SHOWN_ROWS) }, (_, row) => columns.map(({ shown }) => shown[row] ?? null));
    return { columns: columns.map(({ tally }) => tally.summarize()), rows, read: this.read, total, hidden: this.hidden.size, isCounting, longRows: this.longRows, isGarbled: this.isGarbled };
  }
}

/** A value of a typed file for the counts, and as it is shown. */
export function describeValue(value: unknown): [Value, string | null] {
  if (value === null || value === undefined) return [null, null];
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? [null, null] : [value, formatTime(value.getTime())];
  if (typeof value === "number" || typeof value === "bigint" || typeof value === "boolean") return [value, String(value)];
  if (typeof value === "string") return [value, value];
  const text = value instanceof Uint8Array ? showBytes(value) : JSON.stringify(value, replaceValue);
  return [text, text];
}

function replaceValue(_: string, value: unknown): unknown {
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  return value instanceof Uint8Array ? showBytes(value) : value;
}

function showBytes(bytes: Uint8Array): string {
  const digits = [...bytes.subarray(0, 16)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return bytes.length > 16 ? `0x${digits}… (${bytes.length} bytes)` : `0x${digits}`;
}
