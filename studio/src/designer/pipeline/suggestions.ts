import type { Drawing, Step } from "./drawing";
import { bindInput, bindStep, nameStep } from "./expressions";
import { isLiteral, type PortSpec } from "./ports";

/** Expressions that keys of a step may have, by key: offered while somebody types. */
export function listSuggestions(drawing: Drawing, step: Step): Record<string, string[]> {
  const others = drawing.steps.filter((other) => other !== step);
  const steps = others.map(({ name }) => nameStep(name));
  const outputs = (fits: (spec: PortSpec) => boolean) => others.flatMap((other) => other.outputs.filter(({ spec }) => fits(spec)).map(({ name }) => bindStep(other.name, name)));
  const inputs = (fits: (spec: PortSpec) => boolean) => drawing.inputs.filter(({ spec }) => fits(spec)).map(({ name }) => bindInput(name));
  const both = (...types: string[]) => [outputs, inputs].flatMap((list) => list(({ type }) => types.includes(type ?? "")));
  return {
    body: steps,
    true_block: steps,
    false_block: steps,
    condition: both("boolean"),
    items: both("string", "uri_file", "uri_folder"),
    input_data: step.inputs.filter(({ spec }) => !isLiteral(spec.type)).map(({ name }) => `\${{inputs.${name}}}`),
    append_row_to: step.outputs.map(({ name }) => `\${{outputs.${name}}}`),
  };
}
