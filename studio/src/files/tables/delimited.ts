/** A file of separated values, cut into rows as its text comes. */
export interface Delimited {
  separator: string;
  /** False if a quoted cell ends with its line. */
  isMultiLine: boolean;
}

/** Cuts text into rows of cells; quotes may hold separators and line ends. */
export class RowCutter {
  private rest = "";

  constructor(private readonly format: Delimited) {}

  /** The rows that are whole with this piece. */
  push(piece: string): string[][] {
    return this.cut(this.rest + piece, false);
  }

  /** The last row, of a text that does not end with a line's end. */
  finish(): string[][] {
    return this.cut(this.rest, true);
  }

  private cut(text: string, isEnd: boolean): string[][] {
    const { separator } = this.format;
    const rows: string[][] = [];
    let [row, at, begin]: [string[], number, number] = [[], 0, 0];
    while (at <= text.length) {
      const [cell, end] = readCell(text, at, separator, this.format.isMultiLine);
      if (end >= text.length && !isEnd) break; // the row may go on in the next piece
      row.push(cell);
      at = end;
      if (text.startsWith(separator, at) && at < text.length) {
        at += separator.length;
        continue;
      }
      if (text[at] === "\r") at += 1;
      if (at >= text.length && !isEnd) break;
      if (row.length > 1 || row[0] !== "") rows.push(row);
      row = [];
      at += 1;
      begin = at;
      if (at >= text.length) break;
    }
    this.rest = isEnd ? "" : text.slice(begin);
    return rows;
  }
}

/** The cell at a place of a text, and the place of the separator or line end after it. */
function readCell(text: string, at: number, separator: string, isMultiLine: boolean): [string, number] {
  if (text[at] !== '"') {
    const end = findEnd(text, at, separator);
    return [text.slice(at, end), end];
  }
  let cell = "";
  let from = at + 1;
  for (;;) {
    const quote = text.indexOf('"', from);
    const line = isMultiLine ? -1 : text.indexOf("\n", from);
    if (line >= 0 && (quote < 0 || line < quote)) return [cell + text.slice(from, line).replace(/\r$/, ""), line];
    if (quote < 0) return [cell + text.slice(from), text.length];
    cell += text.slice(from, quote);
    if (text[quote + 1] !== '"') {
      const end = findEnd(text, quote + 1, separator);
      return [cell + text.slice(quote + 1, end), end];
    }
    cell += '"';
    from = quote + 2;
  }
}

function findEnd(text: string, from: number, separator: string): number {
  const first = separator.charCodeAt(0);
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 10 || (code === 13 && (at + 1 === text.length || text.charCodeAt(at + 1) === 10))) return at;
    if (code === first && (separator.length === 1 || text.startsWith(separator, at))) return at;
  }
  return text.length;
}
