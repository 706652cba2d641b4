import { expect, test } from "vitest";
import { findOwnPath, formatAnswer } from "./scoring";

test("requests go to this server only", () => {
  expect(findOwnPath("http://127.0.0.1:20001/online/ws/e/score")).toBe("/online/ws/e/score");
  expect(findOwnPath("https://host/online/ws/e/score")).toBe("/online/ws/e/score");
  expect([findOwnPath("https://elsewhere/score"), findOwnPath("/online/x")]).toEqual([null, null]);
});

test("answers are laid out if they are JSON", () => {
  expect(formatAnswer("[1,2]")).toBe("[\n  1,\n  2\n]");
  expect(formatAnswer("it broke")).toBe("it broke");
});
