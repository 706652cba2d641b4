import { expect, test } from "vitest";
import { buildCondition, buildServerQuery, dependsOnState, isFiltered, readFilter, toggle, turnSort } from "./filter";

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

test("conditions on metrics are a part of the filter, columns of parameters are not", () => {
  const filter = read("where=loss<0.3&where=auc&param=rate&param=depth&sort=-metric.loss");
  expect([filter.where, filter.param]).toEqual([["loss<0.3", "auc"], ["rate", "depth"]]);
  expect(buildServerQuery(filter, 0).toString()).toBe("where=loss%3C0.3&where=auc&sort=-metric.loss");
  expect([isFiltered(filter), dependsOnState(read("where=auc"))]).toEqual([true, true]);
  expect([turnSort("-created", "metric.loss"), turnSort("-metric.loss", "metric.loss")]).toEqual(["-metric.loss", "metric.loss"]);
});

test("a form makes a condition, or none", () => {
  expect([buildCondition(" val loss ", "<", " 0.3 "), buildCondition("auc", ">=", ""), buildCondition("", "<", "1"), buildCondition("a<b", "<", "1"), buildCondition("auc", "<", "x")]).toEqual(["val loss<0.3", "auc", null, null, null]);
});
