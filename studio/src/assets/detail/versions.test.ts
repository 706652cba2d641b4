import { expect, test } from "vitest";
import type { Version } from "../../api/resources";
import { chooseVersion, shortenReference } from "./versions";

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
