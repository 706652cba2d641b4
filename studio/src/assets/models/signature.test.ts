import { expect, test } from "vitest";
import { buildSampleRequest, listFields } from "./signature";

test("columns, tensors and parameters", () => {
  expect(listFields([{ type: "double", name: "rooms", required: true }, { type: "string", name: "note", required: false }])).toEqual([
    { name: "rooms", type: "double", isRequired: true, default: "" }, { name: "note", type: "string", isRequired: false, default: "" },
  ]);
  expect(listFields([{ type: "tensor", "tensor-spec": { dtype: "float32", shape: [-1, 28, 28] } }])[0]).toMatchObject({ name: "", type: "float32 tensor (-1, 28, 28)" });
  expect(listFields([{ name: "temperature", dtype: "double", default: 0.5, shape: null }])[0]).toEqual({ name: "temperature", type: "double", isRequired: false, default: "0.5" });
  expect(listFields([{ name: "a", type: "array", items: { type: "long" } }, { name: "o", type: "object", properties: { x: { type: "long" } } }]).map((field) => field.type)).toEqual(["array of long", "object of x"]);
  expect([listFields(null), listFields("x"), listFields({})]).toEqual([[], [], []]);
});

test("a sample has a value of each type", () => {
  expect(JSON.parse(buildSampleRequest([{ type: "double", name: "rooms" }, { type: "string", name: "note" }, { type: "boolean", name: "new" }]))).toEqual({
    input_data: { columns: ["rooms", "note", "new"], index: [0], data: [[0, "text", true]] },
  });
  expect(JSON.parse(buildSampleRequest([{ type: "tensor", "tensor-spec": { dtype: "float32", shape: [-1, 2] } }]))).toEqual({ input_data: [[0, 0]] });
  expect(JSON.parse(buildSampleRequest([{ type: "tensor", "tensor-spec": { dtype: "float32", shape: [-1, 999, 999] } }]))).toEqual({ input_data: [] });
  expect(JSON.parse(buildSampleRequest(null))).toEqual({ input_data: [] });
});
