import { expect, test } from "vitest";
import { describeJob, describeTrigger } from "./trigger";

test("a trigger in a few words", () => {
  expect(describeTrigger({ triggerType: "Cron", expression: "30 2 * * *", timeZone: "UTC" })).toBe("30 2 * * *");
  expect(describeTrigger({ expression: "0 0 * * 1", timeZone: "Tokyo Standard Time" })).toBe("0 0 * * 1 (Tokyo Standard Time)");
  expect(describeTrigger({ frequency: "Day", interval: 1, schedule: { hours: [4, 16], minutes: [5] } })).toBe("every day at 04:05, 16:05");
  expect(describeTrigger({ frequency: "Week", interval: 2, schedule: { hours: [9], minutes: [], weekDays: ["Monday", "Friday"] } })).toBe("every 2 weeks on Monday, Friday at 09:00");
  expect(describeTrigger({ frequency: "Month", interval: 1, schedule: { hours: [1], minutes: [0], monthDays: [1, 15] } })).toBe("every month on 1, 15 at 01:00");
  expect([describeTrigger(undefined), describeTrigger({})]).toEqual(["", ""]);
});

test("a schedule says which job it makes", () => {
  expect(describeJob({ jobType: "Pipeline", displayName: "nightly", jobs: {} })).toBe("a pipeline job: nightly");
  expect(describeJob({ jobType: "Pipeline", jobs: { load: {}, train: {} } })).toBe("a pipeline job of the steps load, train");
  expect(describeJob({ jobType: "Command", command: "python a.py" })).toBe("a command job: python a.py");
  expect(describeJob(undefined)).toBe("a job");
});
