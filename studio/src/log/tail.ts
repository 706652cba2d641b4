/** A part of a file that may be as large as it likes, and grows: read in pieces by byte ranges. */
export interface Piece {
  /** The lines, without the incomplete first one if the piece does not begin at the file's beginning. */
  text: string;
  /** The bytes that the text stands for. */
  from: number;
  to: number;
  size: number;
}

export type Fetch = (range: string) => Promise<Response>;

export const PIECE = 256 * 1024;

/** Read the last `count` bytes, or what there is. */
export async function readEnd(fetchRange: Fetch, count = PIECE): Promise<Piece> {
  return readPiece(await fetchRange(`bytes=-${count}`), true);
}

/** Read the bytes before `to`. */
export async function readBefore(fetchRange: Fetch, to: number, count = PIECE): Promise<Piece> {
  const from = Math.max(0, to - count);
  return readPiece(await fetchRange(`bytes=${from}-${to - 1}`), true);
}

/** Read `count` bytes from `from` on; the text ends with a whole line if the file goes on. */
export async function readFrom(fetchRange: Fetch, from: number, count = PIECE): Promise<Piece> {
  const piece = await readPiece(await fetchRange(`bytes=${from}-${from + count - 1}`), false, from);
  if (piece.to >= piece.size) return piece;
  const end = piece.text.lastIndexOf("\n") + 1;
  if (!end) return piece;
  return { ...piece, text: piece.text.slice(0, end), to: piece.from + new TextEncoder().encode(piece.text.slice(0, end)).length };
}

async function readPiece(answer: Response, cutFirst: boolean, from = 0): Promise<Piece> {
  const range = /bytes (?:(\d+)-(\d+)|\*)\/(\d+)/.exec(answer.headers.get("content-range") ?? "");
  if (answer.status === 416) return { text: "", from, to: from, size: Number(range?.[3] ?? from) };
  let bytes = new Uint8Array(await answer.arrayBuffer());
  const start = range?.[1] ? Number(range[1]) : 0;
  const size = range ? Number(range[3]) : bytes.length;
  let cut = 0;
  if (cutFirst && start > 0) cut = bytes.indexOf(10) + 1; // the rest of a line, which may begin within a character
  bytes = bytes.subarray(cut);
  return { text: new TextDecoder().decode(bytes), from: start + cut, to: start + cut + bytes.length, size };
}

/** The lines of a text as a terminal leaves them: of a line that was drawn again (a progress bar), the last drawing. */
export function splitLines(text: string): string[] {
  const lines = text.split("\n").map((line) => {
    const whole = line.endsWith("\r") ? line.slice(0, -1) : line;
    return whole.slice(whole.lastIndexOf("\r") + 1);
  });
  if (lines.at(-1) === "") lines.pop();
  return lines;
}
