import { parse, stringify, type Scalar } from "yaml";
import type { Value } from "./source";

/** Values as YAML text that smalt and Azure's tools, which read YAML 1.1, take for the same. */
const OPTIONS = { version: "1.1", lineWidth: 0, doubleQuotedMinMultiLineLength: 1e9 } as const;

/** A value in the place of a scalar; a text keeps the quotes that were there. */
export function writeScalar(value: Value, was: Scalar | null, newline: string, isInFlow = false): string {
  const quotes = typeof value === "string" && was && (was.type === "QUOTE_DOUBLE" || was.type === "QUOTE_SINGLE") ? (value.includes("\n") ? "QUOTE_DOUBLE" : was.type) : null;
  const style = quotes ? { defaultStringType: quotes, singleQuote: quotes === "QUOTE_SINGLE" } : { blockQuote: false as const };
  if (value !== null && typeof value === "object") return writeFlow(value);
  if (typeof value === "number") return String(value).replace(/^(-?\d+)e/, "$1.0e"); // YAML 1.1 has no 1e-7
  if (isInFlow && !quotes) return writeFlow([value]).slice(1, -1).trim();
  const text = stringify(value, { ...OPTIONS, ...style }).replace(/\n$/, "").replaceAll("\n", newline);
  return text === value && parse(text) !== value ? JSON.stringify(value) : text; // YAML 1.2 has numbers that 1.1 has not
}

/** Several lines as a block, indented by so many columns; null where only quotes can hold them. */
export function writeNewBlock(value: Value, indent: number, newline: string): string | null {
  if (typeof value !== "string" || !/.\n/.test(value) || /[^\n\t\x20-\x7e\xa0-\ud7ff\ue000-\ufffd]|^\s|\n\n$/.test(value)) return null;
  const isKept = value.endsWith("\n");
  return (isKept ? "|" : "|-") + newline + indentLines(isKept ? value.slice(0, -1) : value, indent).replaceAll("\n", newline);
}

export function writeFlow(value: Value): string {
  return stringify(value, { ...OPTIONS, collectionStyle: "flow", blockQuote: false }).trimEnd();
}

/** The lines of `key: value`, indented by so many columns, without the last line break. */
export function writePair(key: string, value: Value, indent: number, newline: string, step = 2): string {
  const text = value === null ? `${writeKey(key)}:` : stringify({ [key]: value }, { ...OPTIONS, indent: step, nullStr: "" }).replace(/ +$/gm, "").trimEnd();
  return indentLines(text.replace(/^(\s*)"([yYnN])":/gm, "$1$2:"), indent).replaceAll("\n", newline);
}

/** Only YAML 1.1 on paper takes y and n for booleans; no reader of pipelines does. */
export function writeKey(key: string): string {
  return /^[yn]$/i.test(key) ? key : stringify(key, { ...OPTIONS, blockQuote: false }).trimEnd();
}

export function indentLines(text: string, indent: number): string {
  return text.split("\n").map((line) => (line ? " ".repeat(indent) + line : line)).join("\n");
}

/** A block scalar (`|`, `>`) with another text: header, style and indentation stay, only its last line breaks follow the text. */
export function writeBlock(was: string, value: string, isFolded: boolean, newline: string): string {
  const [head, ...lines] = was.split(/\r?\n/);
  const indent = /^ */.exec(lines.find((line) => line.trim()) ?? "  ")![0];
  const isKept = value.endsWith("\n");
  const text = isKept ? value.slice(0, -1) : value;
  const isLiteral = !isFolded || /^\s|\n\s/.test(text); // folding has rules of its own for lines that begin with spaces
  const keeps = /[+]/.test(head.slice(0, 3));
  const header = head.replace(/^([|>])(\d?)[-+]?(\d?)/, (_, __, before, after) => (isLiteral ? "|" : ">") + before + after + (isKept ? (keeps ? "+" : "") : "-"));
  const body = (isLiteral ? text : text.replaceAll("\n", "\n\n")).split("\n").map((line) => (line ? indent + line : line)).join(newline);
  return header + newline + body + (/\n$/.test(was) ? newline : "");
}
