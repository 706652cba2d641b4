import { expect, test } from "vitest";
import { countHeld, findSlots, type ComputeSlots } from "./slots";

const make = (name: string, cpus: number[] = []): ComputeSlots => ({
  name, cpus: 4, gpus: [], waiting: 0, held: cpus.length,
  holders: cpus.map((count, k) => ({ job: `j${k}`, label: "", root: `j${k}`, workspace: "w", folder: "w", status: "Running", cpus: count, gpus: [], since: null })),
});

test("a compute without slots of its own is this machine", () => {
  const all = [make("local"), make("cluster")];
  expect([findSlots(all, "Cluster")?.name, findSlots(all, "cpu-cluster")?.name, findSlots([], "x")]).toEqual(["cluster", "local", undefined]);
});

test("slots are counted by CPUs, not by jobs", () => {
  expect([countHeld(make("a")), countHeld(make("a", [1, 2]))]).toEqual([0, 3]);
});
