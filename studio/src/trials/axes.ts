import { formatParameter, type Trial } from "./model";

/** An axis of a drawing with parallel coordinates, from 0 at the bottom to 1 at the top. */
export interface Axis {
  name: string;
  kind: "category" | "linear" | "logarithmic";
  ticks: { place: number; text: string }[];
  /** The place of each trial; null where it has no value, or none that is finite. */
  places: (number | null)[];
}

/** A stretch of an axis that trials must be on. */
export type Brushes = Record<string, [number, number]>;

const MOST_CATEGORIES = 8;
const MOST_TICKS = 12;
const WIDE = 100;
const LOGARITHMIC = new Set(["loguniform", "qloguniform", "lognormal", "qlognormal"]);

/** An axis for each parameter; `space` is the search space as YAML has it. */
export function buildParameterAxes(trials: Trial[], names: string[], space: Record<string, unknown>): Axis[] {
  return names.map((name) => buildAxis(name, trials.map(({ point }) => point[name]), findType(space, name)));
}

export function buildMetricAxis(trials: Trial[], name: string): Axis {
  return buildNumericAxis(name, trials.map(({ value }) => value), undefined);
}

/** The places of the trials that are on all brushed stretches. */
export function filterByBrushes(axes: Axis[], brushes: Brushes, count: number): boolean[] {
  const chosen = axes.filter(({ name }) => name in brushes);
  return Array.from({ length: count }, (_, k) => chosen.every(({ name, places }) => {
    const [low, high] = brushes[name];
    const place = places[k];
    return place !== null && place >= low && place <= high;
  }));
}

function findType(space: Record<string, unknown>, name: string): string | undefined {
  const found = space[name] ?? space[name.split(".")[0]];
  return found !== null && typeof found === "object" && "type" in found ? String(found.type) : undefined;
}

function buildAxis(name: string, values: unknown[], type: string | undefined): Axis {
  const given = values.filter((value) => value !== undefined && value !== null);
  const areNumbers = given.every((value) => typeof value === "number");
  if (type === "choice" || !areNumbers || (type === undefined && new Set(given).size <= MOST_CATEGORIES)) return buildCategoryAxis(name, values);
  return buildNumericAxis(name, values.map((value) => (typeof value === "number" ? value : NaN)), type === undefined ? undefined : LOGARITHMIC.has(type));
}

function buildCategoryAxis(name: string, values: unknown[]): Axis {
  const given = values.filter((value) => value !== undefined && value !== null);
  const isNumeric = given.every((value) => typeof value === "number");
  const distinct = [...new Set(given.map((value) => formatParameter(value)))].sort((a, b) => (isNumeric ? Number(a) - Number(b) : a.localeCompare(b)));
  const place = (k: number) => (distinct.length === 1 ? 0.5 : k / (distinct.length - 1));
  const index = new Map(distinct.map((text, k) => [text, place(k)]));
  const step = Math.ceil(distinct.length / MOST_TICKS);
  return {
    name, kind: "category",
    ticks: distinct.flatMap((text, k) => (k % step ? [] : [{ place: place(k), text }])),
    places: values.map((value) => (value === undefined || value === null ? null : (index.get(formatParameter(value)) ?? null))),
  };
}

function buildNumericAxis(name: string, values: number[], isLogarithmic: boolean | undefined): Axis {
  const finite = values.filter(Number.isFinite);
  const [low, high] = [Math.min(...finite), Math.max(...finite)];
  const usesLog = low > 0 && (isLogarithmic ?? high / low > WIDE) && high > low;
  const [from, to] = usesLog ? [Math.log(low), Math.log(high)] : [low, high];
  const place = (value: number) => (!Number.isFinite(value) ? null : to === from ? 0.5 : ((usesLog ? Math.log(value) : value) - from) / (to - from));
  const at = (share: number) => (usesLog ? Math.exp(from + share * (to - from)) : from + share * (to - from));
  const ticks = !finite.length ? [] : to === from ? [{ place: 0.5, text: formatTick(low) }] : [0, 0.25, 0.5, 0.75, 1].map((share) => ({ place: share, text: formatTick(at(share)) }));
  return { name, kind: usesLog ? "logarithmic" : "linear", ticks, places: values.map(place) };
}

const formatTick = (value: number): string => {
  const size = Math.abs(value);
  return size !== 0 && (size < 1e-3 || size >= 1e5) ? value.toExponential(1) : String(Number(value.toPrecision(3)));
};
