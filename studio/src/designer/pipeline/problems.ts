import type { Drawing, Interfaces } from "./drawing";
import type { Problem } from "../routes";
import { lineStart, type Source } from "../yaml/source";

/** The names of the steps, with the problems that stand in each. */
export function groupProblems(source: Source, drawing: Drawing, interfaces: Interfaces, problems: Problem[], file: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  const add = (step: string, message: string) => found.set(step, [...(found.get(step) ?? []), message]);
  const ranges = drawing.steps.map((step) => [step.name, source.findRange(step.path)] as const);
  for (const problem of problems) {
    if (problem.file !== file) {
      for (const { name, component } of drawing.steps) if (component && normalizePath(component) === normalizePath(problem.file)) add(name, formatProblem(problem));
      continue;
    }
    const at = findPlace(source.text, problem);
    if (at === null) continue;
    const step = ranges.find(([, range]) => range && at >= lineStart(source.text, range[0]) && at <= range[1]);
    if (step) add(step[0], problem.message);
  }
  for (const { name, component } of drawing.steps) {
    const error = component ? interfaces[component]?.error : undefined;
    if (error && !found.has(name)) add(name, error);
  }
  return found;
}

/** The problems without the one that a pipeline has before its first step. */
export const dropBeginning = (problems: Problem[]): Problem[] => problems.filter(({ message }) => !/ needs a step: /.test(message));

/** The place in the text of a problem's line and column; null if it has none. */
export function findPlace(text: string, { line, column }: Problem): number | null {
  if (!line) return null;
  let at = 0;
  for (let k = 1; k < line; k++) {
    const next = text.indexOf("\n", at);
    if (next < 0) return text.length;
    at = next + 1;
  }
  const end = text.indexOf("\n", at);
  return Math.min(at + Math.max(0, column - 1), end < 0 ? text.length : end);
}

export function formatProblem({ file, line, column, message }: Problem): string {
  return line ? `${file ? `${file}:` : "line "}${line}${column ? `:${column}` : ""}: ${message}` : file ? `${file}: ${message}` : message;
}

export function normalizePath(path: string): string {
  const parts: string[] = [];
  for (const part of path.replace(/^file:/, "").split("/")) {
    if (part === "" || part === ".") continue;
    if (part === ".." && parts.length && parts.at(-1) !== "..") parts.pop();
    else parts.push(part);
  }
  return parts.join("/");
}
