import type { TableCollector } from "./collector";
import { RowCutter } from "./delimited";
import type { Reader } from "./mltable";

/** Takes the texts of files, one after the other, and gives their rows to a collector. */
export interface TextReader {
  encoding: string;
  /** Begin with the next file. */
  begin(): void;
  push(text: string): void;
  /** The file is at its end. */
  finish(): void;
}

export function createReader(reader: Exclude<Reader, { kind: "parquet" }>, into: TableCollector): TextReader {
  return reader.kind === "lines" ? new LineReader(into) : new DelimitedReader(reader, into);
}

class DelimitedReader implements TextReader {
  readonly encoding: string;
  private cutter!: RowCutter;
  private names: string[] | null = null;
  private isHeaderDue = false;

  constructor(private readonly format: Extract<Reader, { kind: "delimited" }>, private readonly into: TableCollector) {
    this.encoding = format.encoding;
  }

  begin(): void {
    this.cutter = new RowCutter({ separator: this.format.separator, isMultiLine: this.format.isMultiLine });
    this.isHeaderDue = this.format.header === "all" || (this.format.header === "first" && this.names === null);
    if (!this.isHeaderDue && this.names) this.into.begin(this.names);
  }

  push(text: string): void {
    if (text.includes("\ufffd")) this.into.isGarbled = true;
    this.add(this.cutter.push(text));
  }

  finish(): void {
    this.add(this.cutter.finish());
  }

  private add(rows: string[][]): void {
    for (const row of rows) {
      if (this.into.isFull) return;
      if (this.isHeaderDue || this.names === null) {
        this.names = nameColumns(this.isHeaderDue ? row : row.map(() => ""));
        this.into.begin(this.names);
        if (this.isHeaderDue) {
          this.isHeaderDue = false;
          continue;
        }
      }
      this.into.addTexts(row);
    }
  }
}

/** Each column has a name, and each name is one column's. */
export function nameColumns(header: string[]): string[] {
  const seen = new Set<string>();
  return header.map((cell, place) => {
    const wanted = (place ? cell : cell.replace(/^\ufeff/, "")).trim() || `Column${place + 1}`;
    let name = wanted;
    for (let k = 2; seen.has(name); k++) name = `${wanted} (${k})`;
    seen.add(name);
    return name;
  });
}

class LineReader implements TextReader {
  readonly encoding = "utf-8";
  private rest = "";
  private names: string[] = [];

  constructor(private readonly into: TableCollector) {}

  begin(): void {
    this.rest = "";
  }

  push(text: string): void {
    const lines = (this.rest + text).split("\n");
    this.rest = lines.pop() ?? "";
    for (const line of lines) this.add(line);
  }

  finish(): void {
    this.add(this.rest);
  }

  private add(line: string): void {
    if (!line.trim() || this.into.isFull) return;
    const parsed = parseObject(line);
    const fresh = Object.keys(parsed).filter((name) => !this.names.includes(name));
    if (fresh.length) {
      this.names = [...this.names, ...fresh];
      this.into.begin(this.names);
    }
    this.into.addValues(this.names.map((name) => parsed[name]));
  }
}

function parseObject(line: string): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    throw new Error("a line of this file is no JSON, so it is not shown as a table");
  }
  return parsed !== null && typeof parsed === "object" && !Array.isArray(parsed) ? (parsed as Record<string, unknown>) : { value: parsed };
}
