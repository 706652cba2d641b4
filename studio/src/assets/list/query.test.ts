import { expect, test } from "vitest";
import { buildListQuery, countPages, findMatching, isFiltered, readListQuery, takePage, turnSort } from "./query";

test("the address is the filter", () => {
  const list = readListQuery(new URLSearchParams("search=iris%20red&type=mltable&type=uri_file&view=all&sort=name&page=3"));
  expect(list).toEqual({ search: "iris red", type: ["mltable", "uri_file"], view: "all", sort: "name", page: 3 });
  expect(buildListQuery(list).toString()).toBe("skip=100&limit=50&sort=name&view=all&search=iris+red&type=mltable&type=uri_file");
  expect(isFiltered(list)).toBe(true);
});

test("an address without a filter, or with a wrong one, shows the first page of all that is active", () => {
  for (const text of ["", "page=0&view=none", "page=x", "page=1.5"]) {
    const list = readListQuery(new URLSearchParams(text));
    expect(list).toEqual({ search: "", type: [], view: "active", sort: "-modified", page: 1 });
    expect(isFiltered(list)).toBe(false);
  }
});

test("pages and sorts", () => {
  expect([0, 1, 50, 51].map(countPages)).toEqual([1, 1, 1, 2]);
  expect([turnSort("name", "name"), turnSort("-name", "name"), turnSort("name", "modified"), turnSort("-modified", "type")]).toEqual(["-name", "name", "-modified", "type"]);
  expect(takePage(Array.from({ length: 60 }, (_, k) => k), 2)).toEqual([50, 51, 52, 53, 54, 55, 56, 57, 58, 59]);
});

test("words are found in any case and order", () => {
  expect(findMatching(["Blue store", "red store", "red"], "STORE re", (text) => text)).toEqual(["Blue store", "red store"]);
  expect(findMatching(["a"], " ", (text) => text)).toEqual(["a"]);
});
