import { expect, test } from "vitest";
import { explainName, listRegistrable, putFittingFirst } from "./registering";

test("an output with an MLmodel is first registered as a model", () => {
  const types = listRegistrable("uri_folder");
  expect(putFittingFirst(types, ["MLmodel", "model.pkl"])).toEqual(["mlflow_model", "uri_folder", "mltable", "custom_model"]);
  expect(putFittingFirst(types, ["MLTable"])[0]).toBe("mltable");
  expect(putFittingFirst(types, ["constructor", "a.csv"])).toEqual(types);
  expect(putFittingFirst(listRegistrable("uri_file"), ["MLmodel"])[0]).toBe("uri_file");
});

test("a name with a slash or blanks is explained before it is sent", () => {
  for (const name of ["a/b", "a b", "", "-a", "a".repeat(256)]) expect(explainName(name)).toContain("cannot be the name of an asset");
  for (const name of ["a.b-c_1", "_a", "a".repeat(255)]) expect(explainName(name)).toBeNull();
});
