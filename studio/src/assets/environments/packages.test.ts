import { expect, test } from "vitest";
import { splitPackage } from "./packages";

test("a package, by version or by place", () => {
  expect(splitPackage("scikit-learn==1.5.2")).toEqual(["scikit-learn", "1.5.2"]);
  expect(splitPackage("mine @ file:///x")).toEqual(["mine", "file:///x"]);
  expect(splitPackage("aiohttp==3.14.5 #a90923e2cb89")).toEqual(["aiohttp", "3.14.5"]);
  expect(splitPackage("plain")).toEqual(["plain", ""]);
});
