import { expect, test } from "vitest";
import { groupByWorkspace, nameKind } from "./usage";

test("by workspace, the largest first", () => {
  const groups = groupByWorkspace([
    { workspace: "a", kind: "jobs", bytes: 1 }, { workspace: null, kind: "environments", bytes: 9 }, { workspace: "a", kind: "datastores/x", bytes: 5 },
  ]);
  expect(groups.map(({ workspace, bytes, items }) => [workspace, bytes, items.map((item) => item.kind)])).toEqual([
    [null, 9, ["environments"]], ["a", 6, ["datastores/x", "jobs"]],
  ]);
  expect(groupByWorkspace([])).toEqual([]);
  expect([nameKind("environments"), nameKind("datastores/mine")]).toEqual(["built environments", "datastores/mine"]);
});
