import { parse } from "yaml";
import type { Value } from "../yaml/source";
import { writeFlow } from "../yaml/write";
import { isTooLong, joinWords, parseWord } from "./values";

/** What the server says of a key of a step. */
export interface StepField {
  kind: "text" | "integer" | "number" | "boolean" | "choice" | "list" | "map" | "group" | "any";
  doc?: string;
  required?: boolean;
  choices?: string[];
  min?: number;
  max?: number;
  /** The keys of a mapping; of one with several forms, by its `type`. */
  fields?: StepFieldTable;
  variants?: Record<string, StepFieldTable>;
  /** What stands under each name of a mapping with free names. */
  item?: StepField;
}

export type StepFieldTable = Record<string, StepField>;
export type Fields = { [key: string]: Value };

export const isFields = (value: unknown): value is Fields => value !== null && typeof value === "object" && !Array.isArray(value);

/** The keys that a form of a step offers without being asked, by type. A component has its own. */
const OFFERED: Record<string, string[]> = {
  sweep: ["search_space", "objective", "limits", "sampling_algorithm", "early_termination"],
  parallel: ["task", "input_data", "mini_batch_size", "partition_keys", "max_concurrency_per_instance", "error_threshold", "mini_batch_error_threshold", "retry_settings", "logging_level", "resources"],
  do_while: ["body", "condition", "mapping", "limits"],
  if_else: ["condition", "true_block", "false_block"],
  parallel_for: ["body", "items", "max_concurrency"],
  spark: ["entry", "args", "conf", "py_files", "jars", "resources"],
  automl: ["task", "primary_metric", "target_column_name", "training_data", "validation_data", "limits", "training", "featurization"],
  data_transfer: ["task", "data_copy_mode", "source", "sink"],
};

export const TITLES: Record<string, string> = {
  sweep: "Sweep", parallel: "Parallel", do_while: "Loop", if_else: "Condition", parallel_for: "Loop", spark: "Spark", automl: "AutoML", data_transfer: "Data transfer",
};

/** The keys of a form: the offered ones, then what else the file has; and those that can be added. */
export function listKeys(table: StepFieldTable | undefined, value: Fields, { type = "", isOffering = true, except = new Set<string>() }: { type?: string; isOffering?: boolean; except?: ReadonlySet<string> } = {}): { shown: string[]; more: string[] } {
  const known = Object.keys(table ?? {});
  const offered = isOffering ? (OFFERED[type] ?? []).filter((key) => !table || key in table) : [];
  const needed = known.filter((key) => isOffering && table![key].required);
  const shown = [...new Set([...offered, ...needed, ...Object.keys(value)])].filter((key) => !except.has(key));
  return { shown, more: known.filter((key) => !shown.includes(key) && !except.has(key)) };
}

/** The keys of a mapping as it is, by its `type` if it has several forms; undefined where nothing is known. */
export function findTable(field: StepField | undefined, value: Fields): StepFieldTable | undefined {
  if (!field?.variants) return field?.fields;
  const type = { kind: "choice", required: true, choices: Object.keys(field.variants) } as const;
  const named = Object.entries(field.variants).find(([tag]) => foldWord(tag) === foldWord(String(value.type ?? "")));
  return { ...named?.[1], type };
}

/** What a new entry of a mapping with free names begins with. */
export function startEntry(item: StepField | undefined): Value {
  if (item?.variants && "uniform" in item.variants) return { type: "uniform", min_value: 0, max_value: 1 };
  if (item?.variants) return { type: Object.keys(item.variants)[0] };
  return item?.kind === "group" || item?.kind === "map" ? {} : "";
}

/** What a person typed for a key, as its kind and its old value have it; a sentence where it does not fit. */
export function parseField(name: string, field: StepField | undefined, text: string, old: Value | undefined): { value: Value } | { problem: string } {
  const kind = field?.kind ?? "any";
  if (text.includes("${{")) return { value: text };
  if (Array.isArray(old) || kind === "list") return parseList(name, text);
  if (kind === "integer" || kind === "number") return parseNumber(name, field!, text.trim());
  if (kind === "boolean") return parseBoolean(name, text.trim());
  if (kind !== "any" || typeof old === "string") return { value: text };
  return { value: parseWord(text) };
}

function parseNumber(name: string, { kind, min, max }: StepField, text: string): { value: Value } | { problem: string } {
  const value = Number(text);
  const isNumber = text !== "" && Number.isFinite(value) && (kind === "number" || /^[-+]?\d+$/.test(text));
  if (!isNumber) return { problem: `'${name}' must be a ${kind === "integer" ? "whole number" : "number"}, not '${text}'` };
  if (isTooLong(text)) return { problem: `'${name}' would lose digits of ${text} here; write it in the YAML` };
  if (min !== undefined && value < min) return { problem: `'${name}' must be at least ${min}, not ${text}` };
  if (max !== undefined && value > max) return { problem: `'${name}' must be at most ${max}, not ${text}` };
  return { value };
}

function parseBoolean(name: string, text: string): { value: Value } | { problem: string } {
  return text === "true" || text === "false" ? { value: text === "true" } : { problem: `'${name}' must be ${joinWords(["true", "false"])}, not '${text}'` };
}

function parseList(name: string, text: string): { value: Value } | { problem: string } {
  try {
    const value: unknown = parse(/^\s*\[/.test(text) ? text : `[${text}]`);
    if (Array.isArray(value)) return { value: value as Value };
  } catch {
    // said below
  }
  return { problem: `'${name}' must be a list such as a, b, c; put a text with commas or brackets in quotes` };
}

/** A list in one line, without its brackets. */
export const showList = (values: Value[]): string => (values.length ? writeFlow(values).replace(/^\[\s*|\s*\]$/g, "") : "");

/** True for a list that one line of a form can show. */
export const isPlainList = (value: Value | undefined): value is Value[] => Array.isArray(value) && value.every((one) => one === null || typeof one !== "object");

/** Bounds and meaning of a key, in a few words. */
export function describeField(field: StepField | undefined): string | undefined {
  if (!field) return undefined;
  const { min, max } = field;
  const bounds = min !== undefined && max !== undefined ? `${min} to ${max}` : min !== undefined ? `at least ${min}` : max !== undefined ? `at most ${max}` : "";
  return [field.doc?.replaceAll("`", ""), bounds].filter(Boolean).join(" ") || undefined;
}

export const foldWord = (word: string): string => word.replace(/[-_ ]/g, "").toLowerCase();
