/** The importance of parameters: the share of a metric's variance that each explains by itself, as the page of `smalt job compare --html` does.
 *
 * The measure is ε² of a one-way analysis of variance on ranks: trials are ranked by the metric and grouped by the value of one
 * parameter (a numeric one into groups of about equal size), and the variance within the groups is compared with that of all. */
import { listParameters, type Trial } from "./model";

export interface Importance {
  name: string;
  share: number;
  /** 19 of 20 parameters without any influence have a lower share. */
  chance: number;
}

export const LEAST_TRIALS = 10;
const MOST_GROUPS = 8;
const GROUP = 5;
const SHUFFLES = 200;

/** The parameters, most important first, from trials with finite values; none if they are too few to tell. */
export function measureImportance(trials: Trial[]): Importance[] {
  const measured = trials.filter(({ value }) => Number.isFinite(value));
  if (measured.length < LEAST_TRIALS) return [];
  const ranks = rankValues(measured.map(({ value }) => value));
  const random = createRandom(1);
  return listParameters(measured)
    .map((name) => ({ name, groups: groupValues(measured.map(({ point }) => point[name])) }))
    .filter(({ groups }) => new Set(groups).size > 1)
    .map(({ name, groups }) => ({ name, share: computeShare(ranks, groups), chance: findChance(ranks, groups, random) }))
    .sort((a, b) => b.share - a.share);
}

/** The rank of each value; equal values have the mean of their ranks. */
export function rankValues(values: number[]): number[] {
  const order = values.map((_, k) => k).sort((a, b) => values[a] - values[b]);
  const ranks = new Array<number>(values.length);
  for (let start = 0; start < order.length; ) {
    let end = start;
    while (end < order.length && values[order[end]] === values[order[start]]) end += 1;
    for (let k = start; k < end; k++) ranks[order[k]] = (start + end - 1) / 2;
    start = end;
  }
  return ranks;
}

/** The group of each value: numbers in groups of about equal size, any other value, and a missing one, by itself. */
export function groupValues(values: unknown[]): number[] {
  const there = values.filter((value) => value !== undefined && value !== null);
  const text = (value: unknown) => (value === undefined ? "" : JSON.stringify(value));
  const count = Math.min(MOST_GROUPS, Math.max(2, Math.floor(there.length / GROUP)));
  if (new Set(there.map(text)).size <= count || !there.every((value) => typeof value === "number")) {
    const known = new Map<string, number>();
    return values.map((value) => {
      const key = text(value);
      if (!known.has(key)) known.set(key, known.size);
      return known.get(key)!;
    });
  }
  const ranks = rankValues(there as number[]);
  let next = 0;
  return values.map((value) => (value === undefined || value === null ? -1 : Math.floor((ranks[next++] * count) / there.length)));
}

/** ε²: the share of the variance that lies between the groups, less what chance makes of it. */
export function computeShare(ranks: number[], groups: number[]): number {
  const sizes = new Map<number, number>();
  const sums = new Map<number, number>();
  ranks.forEach((rank, k) => {
    sizes.set(groups[k], (sizes.get(groups[k]) ?? 0) + 1);
    sums.set(groups[k], (sums.get(groups[k]) ?? 0) + rank);
  });
  const count = ranks.length;
  const mean = ranks.reduce((sum, rank) => sum + rank, 0) / count;
  const total = ranks.reduce((sum, rank) => sum + (rank - mean) ** 2, 0);
  if (total === 0 || count <= sizes.size) return 0;
  const between = [...sizes].reduce((sum, [group, size]) => sum + sums.get(group)! ** 2 / size, 0) - count * mean ** 2;
  const within = Math.max(0, total - between);
  return Math.min(1, Math.max(0, 1 - within / (count - sizes.size) / (total / (count - 1))));
}

function findChance(ranks: number[], groups: number[], random: () => number): number {
  const shuffled = [...ranks];
  const shares = Array.from({ length: SHUFFLES }, () => {
    for (let k = shuffled.length - 1; k > 0; k--) {
      const other = Math.floor(random() * (k + 1));
      [shuffled[k], shuffled[other]] = [shuffled[other], shuffled[k]];
    }
    return computeShare(shuffled, groups);
  });
  return shares.sort((a, b) => a - b)[Math.floor((SHUFFLES * 19) / 20)];
}

/** Numbers from 0 to 1 that are the same each time, so that the page does not change when it is opened again. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
