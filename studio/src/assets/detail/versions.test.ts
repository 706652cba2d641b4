import { expect, test } from "vitest";
import type { Version } from "../../api/resources";
import { chooseVersion, parseOwnReference, shortenReference } from "./versions";

const make = (name: string, isArchived = false): Version => ({ id: name, name, properties: { isArchived } });

test("an address without a version leads to the newest that is not archived", () => {
  expect(chooseVersion([make("3", true), make("2"), make("1")], null)?.name).toBe("2");
  expect(chooseVersion([make("2", true), make("1", true)], null)?.name).toBe("2");
  expect(chooseVersion([make("2"), make("1")], "1")?.name).toBe("1");
  expect(chooseVersion([make("2")], "9")).toBeUndefined();
  expect(chooseVersion([], null)).toBeUndefined();
});

test("ids are shown as YAML has them", () => {
  const workspace = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w";
  expect(shortenReference(`${workspace}/environments/sklearn/versions/3`)).toBe("sklearn:3");
  expect(shortenReference("azureml://registries/r/environments/e/labels/latest")).toBe("e@latest");
  expect(shortenReference("azureml:host@latest")).toBe("host@latest");
  expect(shortenReference("azureml://datastores/d/paths/p")).toBe("azureml://datastores/d/paths/p");
});

test("references to assets of the workspace lead to their pages", () => {
  const workspace = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w";
  expect(parseOwnReference(`${workspace}/models/m/versions/2`)).toEqual(["m", "2"]);
  expect(parseOwnReference(`azureml:${workspace}/environments/e/labels/latest`)).toEqual(["e"]);
  expect([parseOwnReference("azureml:e:1"), parseOwnReference("azureml:host@latest"), parseOwnReference("azureml:e")]).toEqual([["e", "1"], ["host"], ["e"]]);
  expect([parseOwnReference("azureml://registries/r/models/m/versions/1"), parseOwnReference("azureml://jobs/j/outputs/o"), parseOwnReference("./folder")]).toEqual([null, null, null]);
});
