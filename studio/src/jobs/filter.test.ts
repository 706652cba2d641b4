import { expect, test } from "vitest";
import { buildServerQuery, dependsOnState, isFiltered, readFilter, toggle, turnSort } from "./filter";

const read = (text: string) => readFilter(new URLSearchParams(text));

test("an address is a filter, and the filter the server's query", () => {
  const filter = read("search=iris+run&status=Failed&status=Running&experiment=a%26b&since=24h&view=all&sort=name");
  expect(filter.status).toEqual(["Failed", "Running"]);
  const query = buildServerQuery(filter, 100_030);
  expect(query.getAll("status")).toEqual(["Failed", "Running"]);
  expect(query.get("experiment")).toBe("a&b");
  expect(query.get("since")).toBe(String(100_020 - 86_400));
  expect([query.get("view"), query.get("sort"), query.get("search")]).toEqual(["all", "name", "iris run"]);
});

test("what an address cannot mean is left out", () => {
  const filter = read("since=yesterday&view=hidden");
  expect([filter.since, filter.view, filter.sort]).toEqual(["", "active", "-created"]);
  expect(buildServerQuery(filter, 0).toString()).toBe("");
  expect(isFiltered(filter)).toBe(false);
});

test("columns of metrics are in the address, and do not change what is asked for", () => {
  const filter = read("metric=loss&metric=auc&metric=loss");
  expect(filter.metric).toEqual(["loss", "auc"]);
  expect(buildServerQuery(filter, 0).toString()).toBe("");
});

test("a change of state moves jobs only in tables that depend on it", () => {
  expect(dependsOnState(read(""))).toBe(false);
  expect(dependsOnState(read("experiment=a"))).toBe(false);
  expect(dependsOnState(read("status=Running"))).toBe(true);
  expect(dependsOnState(read("sort=duration"))).toBe(true);
});

test("a click on a column sorts by it, a second one the other way", () => {
  expect(turnSort("-created", "name")).toBe("name");
  expect(turnSort("name", "name")).toBe("-name");
  expect(turnSort("-name", "name")).toBe("name");
  expect(turnSort("name", "duration")).toBe("-duration");
});

test("a value is added, then removed", () => {
  expect(toggle(["a"], "b")).toEqual(["a", "b"]);
  expect(toggle(["a", "b"], "a")).toEqual(["b"]);
});
