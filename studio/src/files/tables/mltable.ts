import type { Delimited } from "./delimited";
import type { Window } from "./collector";

/** How the files of a table are read. */
export type Reader =
  | ({ kind: "delimited"; header: "all" | "none" | "first"; encoding: string } & Delimited)
  | { kind: "parquet" }
  | { kind: "lines" };

/** What a page can tell of an MLTable: where its files are, how they are read, and what of it only a job does. */
export interface MLTablePlan {
  paths: { kind: "file" | "folder" | "pattern"; path: string }[];
  /** Null for a table of files, which has no columns. */
  reader: Reader | null;
  window: Window;
  keep: string[] | null;
  drop: string[];
  /** Transformations that are left out here. */
  leftOut: string[];
}

const ENCODINGS: Record<string, string> = { utf8: "utf-8", ascii: "windows-1252", iso88591: "windows-1252", latin1: "windows-1252", utf16: "utf-16le", windows1252: "windows-1252" };
/** Transformations that change no rows and no columns, or only their types, as far as the first rows show. */
const ROWS = new Set(["filter", "take_random_sample", "select_partitions"]);

/** The plan of an MLTable's parsed text; throws Error if it is none. */
export function planMLTable(content: unknown): MLTablePlan {
  const { paths, transformations } = (content ?? {}) as { paths?: unknown; transformations?: unknown };
  if (!Array.isArray(paths)) throw new Error("this MLTable names no paths");
  const plan: MLTablePlan = { paths: [], reader: null, window: { from: 0, to: Infinity }, keep: null, drop: [], leftOut: [] };
  for (const entry of paths as Record<string, string>[]) {
    const kind = (["file", "folder", "pattern"] as const).find((one) => typeof entry?.[one] === "string");
    if (kind) plan.paths.push({ kind, path: entry[kind] });
  }
  for (const step of Array.isArray(transformations) ? transformations : []) {
    const [[name, argument]] = typeof step === "string" ? [[step, null]] : Object.entries(step as Record<string, unknown>);
    apply(plan, name, argument);
  }
  return plan;
}

function apply(plan: MLTablePlan, name: string, argument: unknown): void {
  const areRowsCertain = !plan.leftOut.some((one) => ROWS.has(one));
  if (name === "read_delimited") plan.reader = planDelimited((argument ?? {}) as Record<string, unknown>);
  else if (name === "read_parquet") plan.reader = { kind: "parquet" };
  else if (name === "read_json_lines") plan.reader = { kind: "lines" };
  else if (name === "take" && areRowsCertain) plan.window = { ...plan.window, to: Math.min(plan.window.to, plan.window.from + Number(argument)) };
  else if (name === "skip" && areRowsCertain) plan.window = { ...plan.window, from: plan.window.from + Number(argument) };
  else if (name === "keep_columns" && isNames(argument)) plan.keep = toNames(argument).filter((one) => !plan.keep || plan.keep.includes(one));
  else if (name === "drop_columns" && isNames(argument)) plan.drop.push(...toNames(argument));
  else plan.leftOut.push(name);
}

function planDelimited(given: Record<string, unknown>): Reader {
  const header = { no_header: "none", from_first_file: "first" }[String(given.header)] ?? "all";
  const separator = String(given.delimiter ?? ",").slice(0, 1) || ",";
  return { kind: "delimited", separator, header: header as "all" | "none" | "first", isMultiLine: given.support_multi_line === true, encoding: ENCODINGS[String(given.encoding ?? "utf8")] ?? "utf-8" };
}

const isNames = (argument: unknown): boolean => typeof argument === "string" || (Array.isArray(argument) && argument.every((one) => typeof one === "string"));
const toNames = (argument: unknown): string[] => (Array.isArray(argument) ? argument : [argument]) as string[];

/** True if a path below the MLTable's folder matches a pattern: * and ? within a folder, ** for folders. */
export function matchPattern(pattern: string, path: string): boolean {
  const parts = pattern.replace(/^\.\//, "").split(/(\*\*\/|\*\*|\*|\?|\[[^\]]+\])/);
  const text = parts.map((part) => ({ "**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]" })[part] ?? (/^\[[^\]]+\]$/.test(part) ? part.replaceAll("\\", "\\\\") : part.replace(/[.+^${}()|\\[\]]/g, "\\$&")));
  try {
    return new RegExp(`^${text.join("")}$`).test(path);
  } catch {
    return false;
  }
}
