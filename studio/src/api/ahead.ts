const LONGEST = 3000;
const asked = new Map<string, { at: number; answer: Promise<unknown> }>();

/** Ask for something before it is shown, unless that was done a moment ago. */
export function askAhead<T>(key: string, load: () => Promise<T>): void {
  const before = asked.get(key);
  if (before && performance.now() - before.at < LONGEST) return;
  const answer = load();
  answer.catch(() => {}); // whoever shows it tells the error
  asked.clear();
  asked.set(key, { at: performance.now(), answer });
}

/** What was asked for a moment ago, once; else ask now. */
export function takeAhead<T>(key: string, load: () => Promise<T>): Promise<T> {
  const before = asked.get(key);
  asked.delete(key);
  return before && performance.now() - before.at < LONGEST ? (before.answer as Promise<T>) : load();
}
