import { expect, test, vi } from "vitest";
import type { JobRow, State } from "../api/types";
import { RowMetrics } from "./metrics";

const row = (name: string, status: State = "Completed"): JobRow => ({
  name, display_name: null, experiment: "e", type: "command", status, owner: "me", created: 0, start: null, end: null, archived: false, error: null,
});

test("each row is asked for once, and again when it has changed", async () => {
  const load = vi.fn(async (names: string[]) => ({ metrics: Object.fromEntries(names.map((name) => [name, { loss: 0.5 }])), parameters: { a: { rate: "0.1" } } }));
  const metrics = new RowMetrics(load);
  await Promise.all([metrics.show([row("a"), row("b", "Running")]), metrics.show([row("a")])]);
  await metrics.show([row("a"), row("b", "Completed"), row("c")]);
  expect(load.mock.calls.map(([names]) => names)).toEqual([["a", "b"], ["b", "c"]]);
  expect([metrics.get("a", "loss"), metrics.get("a", "none"), metrics.get("z", "loss")]).toEqual([0.5, undefined, undefined]);
  expect(metrics.names).toEqual(["loss"]);
  expect([metrics.getParameter("a", "rate"), metrics.getParameter("b", "rate"), metrics.parameterNames]).toEqual(["0.1", undefined, ["rate"]]);
});

test("what fails is asked for again", async () => {
  const load = vi.fn(async (): Promise<{ metrics: Record<string, Record<string, number>> }> => ({ metrics: { a: { auc: 1 } } })).mockRejectedValueOnce(new Error("no"));
  const metrics = new RowMetrics(load);
  await metrics.show([row("a")]);
  await metrics.show([row("a")]);
  expect(metrics.get("a", "auc")).toBe(1);
});
