import { expect, test } from "vitest";
import { listPorts } from "../components/ports";
import { buildInvocation, listMissing } from "./invocation";

const PORTS = listPorts({ data: { type: "uri_folder" }, rate: { type: "number", default: 0.1 }, note: { type: "string", optional: true } });

test("data and values are sent as what they are", () => {
  expect(buildInvocation(PORTS, { data: " azureml:d:1 ", rate: "0.5", note: "" })).toEqual({
    properties: { inputData: { data: { jobInputType: "uri_folder", uri: "azureml:d:1" }, rate: { jobInputType: "literal", value: "0.5" } } },
  });
});

test("inputs without a default need a value", () => {
  expect(listMissing(PORTS, {})).toEqual(["data"]);
  expect(listMissing(PORTS, { data: "azureml:d:1" })).toEqual([]);
});
