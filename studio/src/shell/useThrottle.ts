import { useCallback, useEffect, useRef } from "react";

/** A function that calls `work` at most once in so many milliseconds, the last call included. */
export function useThrottle(work: () => void, milliseconds: number): () => void {
  const latest = useRef(work);
  latest.current = work;
  const state = useRef<{ timer?: ReturnType<typeof setTimeout>; last: number }>({ last: 0 });
  useEffect(() => () => clearTimeout(state.current.timer), []);
  return useCallback(() => {
    const own = state.current;
    if (own.timer !== undefined) return;
    own.timer = setTimeout(() => {
      own.timer = undefined;
      own.last = Date.now();
      latest.current();
    }, Math.max(0, own.last + milliseconds - Date.now()));
  }, [milliseconds]);
}
