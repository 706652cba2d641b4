import { expect, test, vi } from "vitest";
import { prefetch, takePrefetched } from "./prefetch";

test("what was prefetched is taken once, and dropped when nobody took it", async () => {
  vi.useFakeTimers();
  const load = vi.fn(async () => load.mock.calls.length);
  prefetch("a", load);
  prefetch("a", load);
  expect(await takePrefetched("a", load)).toBe(1);
  expect(await takePrefetched("a", load)).toBe(2);
  prefetch("a", load);
  expect(vi.getTimerCount()).toBeGreaterThan(0);
  vi.advanceTimersByTime(3000);
  expect(vi.getTimerCount()).toBe(0);
  expect(await takePrefetched("a", load)).toBe(4);
  prefetch("a", async () => Promise.reject(new Error("no")));
  await expect(takePrefetched("a", load)).rejects.toThrow("no");
  vi.useRealTimers();
});

test("an answer is kept for its own time, not for that of one before", async () => {
  vi.useFakeTimers();
  const load = vi.fn(async () => load.mock.calls.length);
  prefetch("b", load);
  await takePrefetched("b", load);
  vi.advanceTimersByTime(2000);
  prefetch("b", load);
  vi.advanceTimersByTime(1500);
  expect(await takePrefetched("b", load)).toBe(2);
  vi.useRealTimers();
});
