import { expect, test, vi } from "vitest";
import { askAhead, takeAhead } from "./ahead";

test("what was asked for ahead is taken once, and not when it is old", async () => {
  const now = vi.spyOn(performance, "now").mockReturnValue(0);
  const load = vi.fn(async () => load.mock.calls.length);
  askAhead("a", load);
  askAhead("a", load);
  expect(await takeAhead("a", load)).toBe(1);
  expect(await takeAhead("a", load)).toBe(2);
  askAhead("a", load);
  now.mockReturnValue(3000);
  expect(await takeAhead("a", load)).toBe(4);
  askAhead("a", async () => Promise.reject(new Error("no")));
  await expect(takeAhead("a", load)).rejects.toThrow("no");
});
