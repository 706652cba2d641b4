import { useMemo, useRef } from "react";
import { useQuery } from "../api/useQuery";
import { useApi } from "../shell/context";
import { useSettled } from "../shell/useSettled";
import { loadDetail, type Answers, type Wanted } from "./detail";
import { nameSource, refine, smooth, type Range, type Series } from "./series";

const PAUSE = 150;

export interface Detail {
  series: Series[];
  /** The points that are drawn in the part that is shown, and the values that are there. */
  drawn: number;
  total: number;
  /** What of it could not be loaded. */
  fault: { what: string; error: Error } | null;
  retry: () => void;
}

/** The series as they are shown: smoothed, and with more points where a part of them is shown.
 *
 * A series that has all its values is smoothed here. Of one with fewer the server smooths all the values and then thins
 * them again, or those of the part. Until it answers, the points that are there are shown. */
export function useDetail(series: Series[], wanted: Wanted): Detail {
  const api = useApi();
  const { over, range } = wanted;
  const smoothing = useSettled(wanted.smoothing, PAUSE);
  const thinned = series.filter(isThinned);
  const origins = wanted.origins.filter((_, k) => isThinned(series[k]));
  const name = thinned.length ? `${api.own} ${thinned[0].source.metric} ${thinned.map(({ source }) => nameSource(source)).join(" ")} ${smoothing}` : "";
  const totals = thinned.map(({ total }) => total).join(" ");
  const place = name && range ? `${name} ${over} ${range.join(" ")}` : null;
  const whole = useQuery(name && smoothing ? `${name} ${totals}` : null, () => loadDetail(api, thinned, { over, smoothing, range: null, origins }));
  const part = useQuery(place && `${place} ${totals}`, () => loadDetail(api, thinned, { over, smoothing, range, origins }));
  const latest = useKept(smoothing ? "smoothed" : null, whole.data);
  const closer = useKept(place, part.data);
  const retry = () => [whole, part].forEach((query) => query.error && query.reload());
  const fault = whole.error ? { what: "The smoothed values", error: whole.error } : part.error ? { what: "The values of this part", error: part.error } : null;

  const shown = useMemo(() => {
    const shown = series.map((one, k) => showSeries(one, wanted, wanted.origins[k], latest, closer));
    const counts = series.map((one, k) => countValues(one, shown[k], wanted, wanted.origins[k], closer));
    return { series: shown, drawn: sum(counts.map(([drawn]) => drawn)), total: sum(counts.map(([, total]) => total)) };
  }, [series, over, range, wanted.smoothing, latest, closer]);
  return { ...shown, fault, retry };
}

/** The last answer to a question, until the next one to it is there. */
function useKept<T>(question: string | null, answer: T | undefined): T | undefined {
  const kept = useRef<{ question: string | null; answer?: T }>({ question });
  if (kept.current.question !== question || answer !== undefined) kept.current = { question, answer };
  return kept.current.answer;
}

const isThinned = (one: Series) => one.total > one.values.length;
const sum = (numbers: number[]) => numbers.reduce((all, one) => all + one, 0);
const shift = ([low, high]: Range, by: number): Range => [low + by, high + by];

function showSeries(one: Series, { over, smoothing, range }: Wanted, origin: number, whole: Answers | undefined, part: Answers | undefined): Series {
  const name = nameSource(one.source);
  const coarse = (isThinned(one) && smoothing > 0 && whole?.get(name)) || { ...one, values: smooth(one.values, smoothing) };
  const fine = isThinned(one) && range ? part?.get(name) : undefined;
  return fine ? refine(coarse, fine, over, shift(range!, origin)) : coarse;
}

function countValues(one: Series, shown: Series, { over, range }: Wanted, origin: number, part: Answers | undefined): [number, number] {
  if (!range) return [shown.values.length, one.total];
  const [low, high] = shift(range, origin);
  const drawn = (over === "step" ? shown.steps : shown.times).filter((place) => place >= low && place <= high).length;
  return [drawn, isThinned(one) ? (part?.get(nameSource(one.source))?.total ?? NaN) : drawn];
}
