import { PIECE, splitLines, type Piece } from "./tail";

/** The part of a log that a page has. */
export interface Loaded extends Piece {
  /** The number of its first line, where that is known. */
  firstLine: number | null;
}

const MOST_BYTES = 8 * 1024 * 1024;
const measure = (text: string) => new TextEncoder().encode(text).length;
const countLines = (text: string) => splitLines(text).length;

/** A piece by itself; a piece from the file's beginning begins with line 1. */
export function load(piece: Piece, firstLine: number | null = null): Loaded {
  return { ...piece, firstLine: piece.from === 0 ? 1 : firstLine };
}

/** What follows is added; of what is too much, the beginning goes. */
export function append(before: Loaded, more: Piece): Loaded {
  const joined = { text: before.text + more.text, from: before.from, to: more.to, size: more.size, firstLine: before.firstLine };
  if (joined.to - joined.from <= MOST_BYTES) return joined;
  const cut = joined.text.indexOf("\n", joined.text.length / 2) + 1;
  const gone = joined.text.slice(0, cut);
  return { ...joined, text: joined.text.slice(cut), from: joined.from + measure(gone), firstLine: joined.firstLine === null ? null : joined.firstLine + countLines(gone) };
}

/** What stands before is added; of what is too much, the end goes. */
export function prepend(piece: Piece, before: Loaded): Loaded {
  const firstLine = before.firstLine === null ? null : before.firstLine - countLines(piece.text);
  const joined = load({ text: piece.text + before.text, from: piece.from, to: before.to, size: piece.size }, firstLine);
  if (joined.to - joined.from <= MOST_BYTES) return joined;
  const cut = joined.text.lastIndexOf("\n", joined.text.length - PIECE) + 1;
  return { ...joined, text: joined.text.slice(0, cut), to: joined.to - measure(joined.text.slice(cut)) };
}
