import type { JsonNumber, TrialRow } from "../api/types";
import { toNumber } from "../curves/series";

export type Point = Record<string, unknown>;

/** A trial as the page shows it. */
export interface Trial {
  row: TrialRow;
  number: number;
  /** Its values of the search space, those of mappings as `name.key`. */
  point: Point;
  /** NaN if it has none. */
  value: number;
  seconds: number | null;
  isTerminated: boolean;
}

export function buildTrials(rows: TrialRow[]): Trial[] {
  return rows.map((row) => ({
    row,
    number: Number(/\d+$/.exec(row.node ?? "")?.[0] ?? NaN),
    point: flattenPoint(row.parameters),
    value: readValue(row.value),
    seconds: row.start !== null && row.end !== null ? row.end - row.start : null,
    isTerminated: row.status === "Canceled" && row.error?.code === "EarlyTermination",
  }));
}

export const readValue = (value: JsonNumber | null): number => (value === null ? NaN : toNumber(value));

export function flattenPoint(point: Point, prefix = ""): Point {
  const found: Point = {};
  for (const [name, value] of Object.entries(point)) {
    if (value !== null && typeof value === "object" && !Array.isArray(value)) Object.assign(found, flattenPoint(value as Point, `${prefix}${name}.`));
    else found[prefix + name] = value;
  }
  return found;
}

export function listParameters(trials: Trial[]): string[] {
  return [...new Set(trials.flatMap(({ point }) => Object.keys(point)))];
}

/** A value of a parameter as people read it. */
export function formatParameter(value: unknown): string {
  if (value === undefined || value === null) return "";
  if (typeof value === "number") return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(5)));
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** The best so far after each trial that has a finite value and completed, in the order in which they ended. */
export function listBestSoFar(trials: Trial[], goal: "maximize" | "minimize"): { trial: Trial; best: number }[] {
  const ended = trials.filter(({ row, value }) => row.end !== null && row.status === "Completed" && Number.isFinite(value)).sort((a, b) => a.row.end! - b.row.end!);
  let best = goal === "maximize" ? -Infinity : Infinity;
  return ended.map((trial) => {
    best = goal === "maximize" ? Math.max(best, trial.value) : Math.min(best, trial.value);
    return { trial, best };
  });
}

/** A sort key of the table: `value`, `number`, `state`, `seconds` or `param.NAME`; `-` before it for descending order. */
export function sortTrials(trials: Trial[], sort: string): Trial[] {
  const key = sort.replace(/^-/, "");
  const sign = sort.startsWith("-") ? -1 : 1;
  return [...trials].sort((a, b) => {
    const [one, two] = [getSortValue(a, key), getSortValue(b, key)];
    const [isOneMissing, isTwoMissing] = [isMissing(one), isMissing(two)];
    if (isOneMissing || isTwoMissing) return Number(isOneMissing) - Number(isTwoMissing) || a.number - b.number;
    const order = typeof one === "number" && typeof two === "number" ? one - two : String(one).localeCompare(String(two));
    return sign * order || a.number - b.number;
  });
}

function getSortValue(trial: Trial, key: string): unknown {
  if (key.startsWith("param.")) return trial.point[key.slice("param.".length)];
  return key === "value" ? trial.value : key === "seconds" ? trial.seconds : key === "state" ? trial.row.status : trial.number;
}

const isMissing = (value: unknown): boolean => value === undefined || value === null || (typeof value === "number" && Number.isNaN(value));

/** The sort that has the best trial first. */
export const sortByGoal = (goal: "maximize" | "minimize"): string => (goal === "maximize" ? "-value" : "value");
