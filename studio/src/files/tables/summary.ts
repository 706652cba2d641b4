/** Columns counted as their values come: what kind they are of, what is missing, and how the rest is distributed. */
export type Value = string | number | bigint | boolean | Date | null | undefined;
export type ColumnKind = "integer" | "number" | "text" | "boolean" | "time" | "empty";

export interface Bin {
  label: string;
  count: number;
}

export interface ColumnSummary {
  name: string;
  kind: ColumnKind;
  /** The type that the file has it in, where it says one. */
  stored?: string;
  count: number;
  missing: number;
  distinct: number;
  /** False if there are more distinct values than were counted. */
  isDistinctExact: boolean;
  min?: string;
  max?: string;
  mean?: string;
  /** Equal intervals of numbers and times; of all others the most frequent values. */
  bins: Bin[];
}

export const MOST_DISTINCT = 10_000;
const BINS = 12;
const MOST_FREQUENT = 5;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const INFINITE = /^[+-]?inf(?:inity)?$/i;
const TIME = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?$/;
const MISSING = new Set(["", "NA", "N/A", "NaN", "nan", "null", "NULL", "None"]);

/** One column, as its values come: texts of a file of text, or values of a typed one. */
export class ColumnTally {
  private count = 0;
  private missing = 0;
  private kinds = new Set<"integer" | "number" | "text" | "boolean" | "time">();
  private numbers: number[] = [];
  private infinite = 0;
  private least: string | null = null;
  private most: string | null = null;
  private frequencies = new Map<string | number, number>();
  private isMany = false;

  constructor(readonly name: string, readonly stored?: string) {}

  /** Count a cell of a file without types: its text says what it is. */
  addText(text: string | undefined): void {
    if (text === undefined || MISSING.has(text)) return this.add(null);
    const trimmed = text.trim();
    if (NUMBER.test(trimmed) || INFINITE.test(trimmed)) return this.addNumber(toNumber(trimmed), /^[+-]?\d+$/.test(trimmed), text);
    if (/^(?:true|false)$/i.test(trimmed)) return this.add(trimmed.toLowerCase() === "true", text);
    const time = TIME.test(trimmed) ? Date.parse(trimmed.length === 10 || /(?:Z|[+-]\d{2}:?\d{2})$/.test(trimmed) ? trimmed : `${trimmed.replace(" ", "T")}Z`) : NaN;
    if (!Number.isNaN(time)) return this.addTime(time, text);
    this.add(text);
  }

  /** Count a value; `text` is how it was written. */
  add(value: Value, text?: string): void {
    if (value === null || value === undefined || (typeof value === "number" && Number.isNaN(value))) {
      this.count += 1;
      this.missing += 1;
    } else if (typeof value === "number") this.addNumber(value, Number.isInteger(value), text ?? String(value));
    else if (typeof value === "bigint") this.addNumber(Number(value), true, String(value));
    else if (value instanceof Date) this.addTime(value.getTime(), text ?? formatTime(value.getTime()));
    else if (typeof value === "boolean") this.addOther(text ?? String(value), "boolean");
    else this.addOther(value, "text");
  }

  summarize(): ColumnSummary {
    const kind = this.chooseKind();
    const distinct = this.frequencies.size;
    const told = { name: this.name, kind, stored: this.stored, count: this.count, missing: this.missing, distinct, isDistinctExact: !this.isMany };
    if (kind === "integer" || kind === "number" || kind === "time") return { ...told, ...this.describeNumbers(kind) };
    if (kind === "empty") return { ...told, bins: [] };
    return { ...told, min: this.least ?? undefined, max: this.most ?? undefined, bins: this.isMany ? [] : this.findFrequent() };
  }

  private addNumber(value: number, isInteger: boolean, text: string): void {
    this.note(isInteger ? "integer" : "number", text, value);
    if (Number.isFinite(value)) this.keep(value);
    else this.infinite += 1;
  }

  private addTime(time: number, text: string): void {
    this.note("time", text, text);
    this.keep(time);
  }

  private addOther(text: string, kind: "text" | "boolean"): void {
    this.note(kind, text, text);
    if (kind === "text") this.numbers = [];
  }

  private keep(number: number): void {
    if (!this.kinds.has("text")) this.numbers.push(number);
  }

  private note(kind: "integer" | "number" | "text" | "boolean" | "time", text: string, key: string | number): void {
    this.count += 1;
    this.kinds.add(kind);
    if (this.least === null || text < this.least) this.least = text;
    if (this.most === null || text > this.most) this.most = text;
    const known = this.frequencies.get(key);
    if (known !== undefined) this.frequencies.set(key, known + 1);
    else if (this.frequencies.size < MOST_DISTINCT) this.frequencies.set(key, 1);
    else this.isMany = true;
  }

  private chooseKind(): ColumnKind {
    if (!this.kinds.size) return "empty";
    const [only] = this.kinds;
    if (this.kinds.size === 1) return only;
    return this.kinds.size === 2 && this.kinds.has("integer") && this.kinds.has("number") ? "number" : "text";
  }

  private describeNumbers(kind: "integer" | "number" | "time"): Pick<ColumnSummary, "min" | "max" | "mean" | "bins"> {
    const values = this.numbers;
    if (!values.length) return { bins: [] };
    let [min, max, sum] = [Infinity, -Infinity, 0];
    for (const value of values) {
      if (value < min) min = value;
      if (value > max) max = value;
      sum += value;
    }
    const show = kind === "time" ? formatTime : formatValue;
    return { min: show(min), max: show(max), mean: show(sum / values.length), bins: splitBins(values, min, max, show) };
  }

  private findFrequent(): Bin[] {
    return [...this.frequencies].sort((a, b) => b[1] - a[1]).slice(0, MOST_FREQUENT).map(([value, count]) => ({ label: String(value), count }));
  }
}

function splitBins(values: number[], min: number, max: number, show: (value: number) => string): Bin[] {
  if (min === max) return [{ label: show(min), count: values.length }];
  const width = (max - min) / BINS;
  const counts = new Array<number>(BINS).fill(0);
  for (const value of values) counts[Math.min(BINS - 1, Math.floor((value - min) / width))] += 1;
  return counts.map((count, k) => ({ label: `${show(min + k * width)} to ${show(k === BINS - 1 ? max : min + (k + 1) * width)}`, count }));
}

function toNumber(text: string): number {
  return INFINITE.test(text) ? (text.startsWith("-") ? -Infinity : Infinity) : Number(text);
}

/** A number with as many digits as tell something. */
export function formatValue(value: number): string {
  if (!Number.isFinite(value) || Number.isInteger(value)) return Math.abs(value) < 1e15 || !Number.isFinite(value) ? String(value) : value.toExponential(4);
  const size = Math.abs(value);
  return size >= 1e9 || size < 1e-4 ? value.toExponential(4) : String(Number(value.toPrecision(6)));
}

/** A time in UTC, without what is zero. */
export function formatTime(time: number): string {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return "not a time";
  return date.toISOString().replace("T00:00:00.000Z", "").replace(".000Z", "Z").replace("T", " ").replace("Z", "");
}
