import { expect, test } from "vitest";
import { groupByWorkspace, nameKind } from "./usage";

test("by workspace, the largest first", () => {
  const groups = groupByWorkspace([
    { workspace: "a", kind: "jobs", bytes: 1 }, { workspace: null, kind: "environments", bytes: 9 }, { workspace: "a", kind: "datastores/x", bytes: 5 },
    { workspace: null, kind: "smalt.db", bytes: 4 }, { workspace: null, kind: "smalt.db-wal", bytes: 3 }, { workspace: null, kind: "port", bytes: 1 }, { workspace: null, kind: "owner", bytes: 1 },
  ]);
  expect(groups.map(({ workspace, bytes, items }) => [workspace, bytes, items.map((item) => item.kind)])).toEqual([
    [null, 18, ["built environments", "records", "smaller files"]], ["a", 6, ["datastores/x", "working folders of jobs"]],
  ]);
  expect(groupByWorkspace([])).toEqual([]);
  expect([nameKind("environments"), nameKind("datastores/mine")]).toEqual(["built environments", "datastores/mine"]);
});
