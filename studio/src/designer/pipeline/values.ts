import type { PortSpec } from "./ports";
import type { Value } from "../yaml/source";

/** What a person typed for an input, as the input's type has it; a sentence where it does not fit. */
export function parseTyped(name: string, spec: PortSpec, text: string): { value: Value } | { problem: string } {
  const type = spec.type?.toLowerCase();
  if (type === "integer" || type === "number") return parseNumber(name, spec, text.trim(), type);
  if (type === "boolean") {
    const given = text.trim().toLowerCase();
    return given === "true" || given === "false" ? { value: given === "true" } : { problem: `the input '${name}' must be a boolean (true or false), not '${text}'` };
  }
  const allowed = spec.enum?.map(String);
  if (type === undefined && !allowed?.length) return { value: parseWord(text) };
  if (allowed?.length && !allowed.includes(text)) return { problem: `the input '${name}' must be ${joinWords(allowed)}, not '${text}'` };
  return { value: text };
}

function parseNumber(name: string, { min, max, enum: choices }: PortSpec, text: string, type: "integer" | "number"): { value: Value } | { problem: string } {
  const value = Number(text);
  const isWhole = type === "number" || /^[-+]?\d+$/.test(text);
  if (!text || !Number.isFinite(value) || !isWhole) return { problem: `the input '${name}' must be ${type === "integer" ? "an integer" : "a number"}, not '${text}'` };
  if (isTooLong(text)) return { problem: `the input '${name}' would lose digits of ${text} here; write it in the YAML` };
  if (min !== undefined && value < Number(min)) return { problem: `the input '${name}' must be at least ${min}, not ${text}` };
  if (max !== undefined && value > Number(max)) return { problem: `the input '${name}' must be at most ${max}, not ${text}` };
  if (choices?.length && !choices.some((one) => Number(one) === value)) return { problem: `the input '${name}' must be ${joinWords(choices.map(String))}, not ${text}` };
  return { value };
}

/** True for a whole number of which a form would lose digits. */
export const isTooLong = (text: string): boolean => /^[-+]?\d+$/.test(text) && !Number.isSafeInteger(Number(text));

/** A value as it is written, where its plain word is known. */
export const showGiven = ({ value, text }: { value: Value; text?: string }): string => text ?? showValue(value);

export function joinWords(words: string[], last = "or"): string {
  const quoted = words.map((word) => `'${word}'`);
  return quoted.length > 1 ? `${quoted.slice(0, -1).join(", ")} ${last} ${quoted.at(-1)}` : quoted.join("");
}

/** What is declared of a value, in a few words: its bounds and its default. */
export function describeSpec({ min, max, default: usual, optional }: PortSpec): string {
  const bounds = min !== undefined && max !== undefined ? `${min} to ${max}` : min !== undefined ? `at least ${min}` : max !== undefined ? `at most ${max}` : "";
  return [bounds, usual !== undefined && usual !== null ? `default ${String(usual)}` : "", optional ? "optional" : ""].filter(Boolean).join(", ");
}

/** What a new value begins with; a number with nothing, so that it is missing until somebody gives one. */
export const startValue = (type: string): Value => (type === "boolean" ? false : type === "string" ? "" : null);

/** A word without a type: a number or boolean where it is written as one. */
export function parseWord(text: string): Value {
  if (/^(true|false)$/.test(text)) return text === "true";
  return String(Number(text)) === text && Number.isFinite(Number(text)) && !isTooLong(text) ? Number(text) : text; // 1.10 and 007 stay what was typed
}

export const showValue = (value: Value): string => (value === null ? "" : typeof value === "object" ? JSON.stringify(value) : String(value));
