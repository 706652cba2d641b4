import { expect, test } from "vitest";
import { followsProgress, isCounted } from "./progress";

const job = (type: string, status: string) => ({ name: type, type, status }) as never;

test("only steps that are counted are followed, and only while they run", () => {
  expect([job("parallel", "Running"), job("command", "Running")].map(isCounted)).toEqual([true, false]);
  expect(followsProgress([job("command", "Running"), job("sweep", "Completed")])).toBe(false);
  expect(followsProgress([job("sweep", "Running")])).toBe(true);
  expect(followsProgress([job("sweep", "Queued"), job("automl", "NotStarted")])).toBe(false);
});
