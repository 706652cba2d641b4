import { useEffect, useRef, useState } from "react";
import type { LogMatch, LogMatches } from "../api/details";

export type SearchLog = (text: string, from: number, line: number, signal: AbortSignal) => Promise<LogMatches>;

const PAUSE = 250;
export const MOST_MATCHES = 5000;

export interface LogSearch {
  matches: LogMatch[];
  /** The part of the log that was searched, from 0 to 1. */
  share: number;
  isOver: boolean;
  error: Error | null;
}

const NOTHING: LogSearch = { matches: [], share: 0, isOver: false, error: null };

/** The lines of a whole log with a text, as they are found; `revision` is another number when the log is to be searched again. */
export function useLogSearch(search: SearchLog, text: string, revision: number): LogSearch {
  const [found, setFound] = useState<LogSearch>(NOTHING);
  const latest = useRef(search);
  latest.current = search;
  useEffect(() => setFound(NOTHING), [text]);
  useEffect(() => {
    if (!text) return;
    const stop = new AbortController();
    const timer = setTimeout(() => void follow(latest.current, text, stop.signal, setFound), PAUSE);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [text, revision]);
  return found;
}

async function follow(search: SearchLog, text: string, signal: AbortSignal, tell: (found: LogSearch) => void): Promise<void> {
  let matches: LogMatch[] = [];
  try {
    for (let place: LogMatches["next"] = { from: 0, line: 1 }; place && matches.length < MOST_MATCHES; ) {
      const answer: LogMatches = await search(text, place.from, place.line, signal);
      if (signal.aborted) return;
      matches = [...matches, ...answer.matches];
      place = answer.next;
      tell({ matches, share: place && answer.size ? place.from / answer.size : 1, isOver: !place || matches.length >= MOST_MATCHES, error: null });
    }
  } catch (error) {
    if (!signal.aborted) tell({ matches, share: 1, isOver: true, error: error as Error });
  }
}

/** What is told of a search: which match of how many. */
export function describeSearch({ matches, share, isOver }: LogSearch, current: number): string {
  const count = `${matches.length.toLocaleString("en-US")}${matches.length >= MOST_MATCHES ? " and more" : ""}`;
  if (!isOver) return `${count}, ${Math.round(share * 100)} % searched`;
  return matches.length ? `${current < 0 ? "" : `${(current + 1).toLocaleString("en-US")} of `}${count}` : "not found";
}
