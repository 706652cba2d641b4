import { expect, test } from "vitest";
import { describeSearch, MOST_MATCHES } from "./useLogSearch";

test("a search says how far it is, and which match is shown", () => {
  const match = { line: 1, at: 0, text: "a" };
  const search = (count: number, isOver: boolean) => ({ matches: Array(count).fill(match), share: 0.5, isOver, error: null });
  expect(describeSearch(search(0, false), -1)).toBe("0, 50 % searched");
  expect(describeSearch(search(0, true), -1)).toBe("not found");
  expect(describeSearch(search(3, true), -1)).toBe("3");
  expect(describeSearch(search(3, true), 1)).toBe("2 of 3");
  expect(describeSearch(search(MOST_MATCHES, true), 0)).toBe("1 of 5,000 and more");
});
