import { expect, test } from "vitest";
import { describePlace, nameDatastoreType } from "./places";

test("the place of a datastore", () => {
  expect(describePlace({ datastoreType: "AzureBlob", accountName: "127.0.0.1:9/x.blob.core.windows.net/?", containerName: "azureml-blobstore" })).toBe("azureml-blobstore");
  expect(describePlace({ datastoreType: "AzureBlob", accountName: "contoso", containerName: "raw" })).toBe("contoso / raw");
  expect(describePlace({ datastoreType: "LocalPath", path: "/data" })).toBe("/data");
  expect(describePlace({ datastoreType: "S3", bucket: "b" })).toBe("b");
});

test("types in words; one that is not known as it is", () => {
  expect([nameDatastoreType("AzureBlob"), nameDatastoreType("local_path"), nameDatastoreType("OneLake")]).toEqual(["Azure blobs", "folder of this machine", "OneLake"]);
});
