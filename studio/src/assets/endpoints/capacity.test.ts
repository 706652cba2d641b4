import { expect, test } from "vitest";
import type { Resource } from "../../api/resources";
import { listChanges, readForm, sumTraffic } from "./capacity";
import type { OnlineDeployment } from "./types";

const deployments = [{ name: "blue", sku: { name: "Default", capacity: 2 } }, { name: "green" }].map((one) => ({ id: one.name, properties: {}, ...one })) as Resource<OnlineDeployment>[];
const known = readForm({ scoringUri: "", traffic: { BLUE: 100 } }, deployments);

test("a form has the shares and instances of all deployments", () => {
  expect(known).toEqual([
    { name: "blue", traffic: 100, mirror: 0, instances: 2 },
    { name: "green", traffic: 0, mirror: 0, instances: 1 },
  ]);
  expect(sumTraffic(known)).toBe(100);
});

test("only what is another is sent, and shares are sent whole", () => {
  expect(listChanges(known, known)).toEqual({ shares: null, scaled: [] });
  const [blue, green] = known;
  expect(listChanges(known, [{ ...blue, traffic: 90 }, { ...green, traffic: 10 }])).toEqual({ shares: { traffic: { blue: 90, green: 10 }, mirrorTraffic: { blue: 0, green: 0 } }, scaled: [] });
  expect(listChanges(known, [blue, { ...green, instances: 3 }])).toEqual({ shares: null, scaled: [{ name: "green", instances: 3 }] });
});
