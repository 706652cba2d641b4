import { expect, it } from "vitest";
import { makeSteps, searchItems, type PaletteItem } from "./palette";

const item = (title: string, description = "", more: Partial<PaletteItem> = {}): PaletteItem => ({ id: title, title, description, group: "Models", origin: "", component: title, body: {}, ...more });

it("a search finds the item first whose title is most like it", () => {
  const items = [item("Cross Validate Model", "train a model several times"), item("Retrain Model"), item("Train Model Again"), item("Model to train"), item("Train Model")];
  expect(searchItems(items, "train model").map(({ title }) => title)).toEqual(["Train Model", "Train Model Again", "Retrain Model", "Model to train", "Cross Validate Model"]);
  expect(searchItems(items, "")).toEqual(items);
});

it("a new step has no text that nobody wrote", () => {
  const inputs = { query: { type: "string" }, kind: { type: "string", enum: ["a", "b"] }, count: { type: "integer", min: 2 }, more: { type: "string", default: "x" } };
  const [step] = makeSteps(item("Find", "", { spec: { type: "command", inputs } }), new Set());
  expect(step.body.inputs).toEqual({ kind: "a", count: 2 });
});
