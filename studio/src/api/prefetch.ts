/** Milliseconds for which an answer that nobody took is kept. */
const LONGEST = 3000;
const prefetched = new Map<string, Promise<unknown>>();

/** Ask for something before it is shown, unless that was done a moment ago. */
export function prefetch<T>(key: string, load: () => Promise<T>): void {
  if (prefetched.has(key)) return;
  const answer = load();
  answer.catch(() => {}); // whoever shows it tells the error
  prefetched.clear();
  prefetched.set(key, answer);
  setTimeout(() => prefetched.get(key) === answer && prefetched.delete(key), LONGEST);
}

/** What was asked for a moment ago, once; else ask now. */
export function takePrefetched<T>(key: string, load: () => Promise<T>): Promise<T> {
  const answer = prefetched.get(key);
  prefetched.delete(key);
  return (answer as Promise<T> | undefined) ?? load();
}
