import { isMap } from "yaml";
import { addInput, makeFreeName, makeStepName, setInput, type Changes } from "./changes";
import { stepId, type Drawing, type Port, type Step } from "./drawing";
import { isLiteral } from "./ports";
import { explainData } from "./rules";

/** A registered data asset, as a pipeline or a step names it. */
export interface DataItem {
  name: string;
  type: string;
  path: string;
}

export const nameDataInput = (drawing: Drawing, item: DataItem): string => makeFreeName(makeStepName(item.name), new Set(drawing.inputs.map(({ name }) => name)));

/** Make the data what an input of the pipeline has, which may be new. A component has no data until a job gives it some. */
export function setDataInput(changes: Changes, drawing: Drawing, name: string, { type, path }: DataItem): void {
  if (drawing.kind === "component") throw new Error("the inputs of a component get their data from the job that runs it; drop the data on a step instead");
  const place = [...drawing.base, "inputs", name];
  const there = drawing.inputs.find((input) => input.name === name);
  if (!there) addInput(changes, drawing, name, type, path);
  else if (!changes.source.findMap(place)) changes.set(place, { type, path });
  else {
    if (there.spec.type !== type) changes.set([...place, "type"], type);
    changes.set([...place, "path"], path);
  }
}

/** Give data to an input of a step: to the named one, else to one of its type that has nothing yet, else to any that takes it. */
export function assignData(changes: Changes, drawing: Drawing, step: Step, item: DataItem, named?: string): void {
  const ports = step.inputs.filter(({ name, spec }) => (named ? name === named : !isLiteral(spec.type)));
  const whys = ports.map((port) => ({ port, why: explainData(drawing, { node: stepId(step.name), port: port.name }, item.type, `the data '${item.name}'`) }));
  const fitting = whys.filter(({ why }) => !why).map(({ port }) => port);
  const rank = ({ spec, given }: Port) => (spec.type === item.type ? 0 : 2) + (given.kind === "none" ? 0 : 1);
  const [chosen] = fitting.sort((a, b) => rank(a) - rank(b));
  if (!chosen) throw new Error(whys[0]?.why ?? `'${step.name}' has no input that takes data`);
  const own = changes.source.resolve([...step.path, "inputs", chosen.name]);
  setInput(changes, step, { ...chosen, spec: { ...chosen.spec, type: item.type } }, item.path); // of the data's type: a port for tables takes files, too
  if (isMap(own) && own.has("type") && own.get("type") !== item.type) changes.set([...step.path, "inputs", chosen.name, "type"], item.type);
}
