/** A stretch of a line in one colour. */
export interface Span {
  text: string;
  colour: string | null;
  isBold: boolean;
}

const COLOURS = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];
// eslint-disable-next-line no-control-regex
const SEQUENCE = /\x1b\[([\d;]*)([A-Za-z])|\x1b[^[]/g;

/** The stretches of a line with a terminal's colours; its other control sequences are dropped. */
export function parseColours(line: string): Span[] {
  if (!line.includes("\x1b")) return [{ text: line, colour: null, isBold: false }];
  const spans: Span[] = [];
  let [colour, isBold, at]: [string | null, boolean, number] = [null, false, 0];
  const push = (text: string) => text && spans.push({ text, colour, isBold });
  for (const match of line.matchAll(SEQUENCE)) {
    push(line.slice(at, match.index));
    at = match.index + match[0].length;
    if (match[2] !== "m") continue;
    for (const code of (match[1] || "0").split(";").map(Number)) {
      if (code === 0) [colour, isBold] = [null, false];
      else if (code === 1) isBold = true;
      else if (code === 39) colour = null;
      else if (code >= 30 && code <= 37) colour = COLOURS[code - 30];
      else if (code >= 90 && code <= 97) colour = COLOURS[code - 90];
    }
  }
  push(line.slice(at));
  return spans.length ? spans : [{ text: "", colour: null, isBold: false }];
}
