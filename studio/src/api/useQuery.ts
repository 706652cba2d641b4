import { useCallback, useEffect, useRef, useState } from "react";

export interface Query<T> {
  data: T | undefined;
  error: Error | null;
  isLoading: boolean;
  reload: () => void;
}

/** Load something when `key` changes, and again on `reload`; what was loaded stays until its successor is there.
 *
 * `key` is null while nothing is to be loaded. */
export function useQuery<T>(key: string | null, load: () => Promise<T>): Query<T> {
  const [state, setState] = useState<{ key: string | null; data?: T; error: Error | null }>({ key: null, error: null });
  const [count, setCount] = useState(0);
  const latest = useRef(load);
  latest.current = load;
  useEffect(() => {
    if (key === null) return;
    let isCurrent = true;
    latest.current().then(
      (data) => isCurrent && setState({ key, data, error: null }),
      (error: Error) => isCurrent && setState((before) => ({ key, data: before.key === key ? before.data : undefined, error })),
    );
    return () => {
      isCurrent = false;
    };
  }, [key, count]);
  const reload = useCallback(() => setCount((before) => before + 1), []);
  const isKnown = state.key === key;
  return { data: isKnown ? state.data : undefined, error: isKnown ? state.error : null, isLoading: key !== null && !isKnown, reload };
}
