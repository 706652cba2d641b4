import { expect, test } from "vitest";
import type { LineageNode } from "../../api/types";
import { arrangeLineage, buildLineage, findPage } from "./model";

const job = (name: string, more: object = {}): LineageNode => ({ kind: "job", name, status: "Completed", ...more });
const data = (name: string, version = "1", more: object = {}): LineageNode => ({ kind: "data", name, version, ...more });

test("both directions are one graph, in which each node stands once", () => {
  const graph = buildLineage(data("clean", "2", {
    made_by: [job("cleans", { made_by: [data("raw"), { kind: "uri", name: "https://a/b.csv" }] })],
    used_by: [job("trains", { step: "fit", parent: "trains_all", used_by: [{ kind: "models", name: "m", version: "1" }] }), job("reports"), job("trains", { again: true })],
  }));
  expect(graph.items.map((item) => item.label)).toEqual(["clean:2", "cleans", "raw:1", "https://a/b.csv", "fit", "m:1", "reports"]);
  expect(graph.edges).toEqual([[1, 0], [2, 1], [3, 1], [0, 4], [4, 5], [0, 6]]);
  expect(graph.items.filter((item) => item.isSelf).map((item) => item.name)).toEqual(["clean"]);
  expect(graph.items[4].facts).toBe("step of trains_all");
  expect(graph.isCut).toBe(false);
  expect(graph.items.map(findPage)).toEqual([["data", "clean", "2"], ["jobs", "cleans"], ["data", "raw", "1"], null, ["jobs", "trains"], ["models", "m", "1"], ["jobs", "reports"]]);
});

test("what was used stands above what was made of it", () => {
  const { nodes, edges } = arrangeLineage(buildLineage(data("d", "1", { made_by: [job("makes", { made_by: [data("raw")] })] })));
  const find = (label: string) => nodes.find((node) => node.label === label)!.box.y;
  expect([find("raw:1") < find("makes"), find("makes") < find("d:1")]).toEqual([true, true]);
  expect(edges).toHaveLength(2);
});

test("a long lineage is cut, and says so", () => {
  expect(buildLineage(data("d", "1", { used_by: Array.from({ length: 900 }, (_, k) => job(`j${k}`)) }))).toMatchObject({ isCut: true });
  expect(buildLineage(data("d", "1", { more: true })).isCut).toBe(true);
  expect(buildLineage(data("d")).edges).toEqual([]);
});
