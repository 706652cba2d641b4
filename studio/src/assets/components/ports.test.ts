import { expect, test } from "vitest";
import { listPorts } from "./ports";

test("ports with types, bounds, defaults", () => {
  const found = listPorts({
    rate: { type: "number", min: 0, max: 1, default: 0.1, optional: true, description: "step" },
    kind: { type: "string", enum: ["a", "b"] },
    data: "uri_folder",
  });
  expect(found.map(({ name, type, isOptional }) => [name, type, isOptional])).toEqual([["rate", "number", true], ["kind", "string", false], ["data", "uri_folder", false]]);
  expect(found[0]).toMatchObject({ limits: "at least 0, at most 1", default: "0.1", description: "step" });
  expect(found[1].limits).toBe("one of a, b");
});

test("a component without ports", () => {
  expect([listPorts(undefined), listPorts(null), listPorts({})]).toEqual([[], [], []]);
});
