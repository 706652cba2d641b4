import { memo } from "react";
import { Icon } from "../shell/icons";
import { addInput, addOutput, removePipelinePort, renamePipelinePort, setField } from "./pipeline/changes";
import { ChoiceField, TextField } from "./fields";
import { KeyFields } from "./KeyFields";
import { isLiteral } from "./pipeline/ports";
import { isFields } from "./pipeline/step_fields";
import { findPlace, formatProblem } from "./pipeline/problems";
import { attemptEdit, NewPort } from "./StepForm";
import type { DesignerStore } from "./store";
import type { PipelinePort } from "./pipeline/drawing";
import { parseTyped, showGiven, showValue, startValue } from "./pipeline/values";
import { revealText } from "./YamlEditor";
import type { Path, Value } from "./yaml/source";

const FLAGS = [
  ["continue_on_step_failure", "Go on when a step fails"],
  ["force_rerun", "Run every step, reuse none"],
] as const;

const SPECIAL = [
  ["on_init", "Step before all others"],
  ["on_finalize", "Step after all others"],
] as const;

/** The pipeline itself: its names, settings, inputs and outputs, and the problems of its text. */
export const PipelineForm = memo(function PipelineForm({ store }: { store: DesignerStore; drawn: number }) {
  const { drawing } = store;
  const isLocked = store.source.isBroken;
  const isNested = drawing.base.length > 0;
  const set = (...path: Path) => (text: string) => attemptEdit(() => store.edit((changes) => setField(changes, [...drawing.base, ...path], text === "" ? undefined : text)));
  const text = (value: Value | undefined) => showValue(value ?? null);
  const { head, settings } = drawing;
  const isComponent = drawing.kind === "component";
  const compute = "compute" in head ? ["compute"] : ["settings", "default_compute"];
  return (
    <section className="draw-form" aria-label="Pipeline">
      <header className="form-head"><h2>{isNested ? String(drawing.base.at(-1) === "component" ? drawing.base.at(-2) : drawing.base.at(-1)) : isComponent ? ((head.type ?? "pipeline") === "pipeline" ? "Pipeline component" : "Not a pipeline") : "Pipeline"}</h2></header>
      {store.problems.length > 0 && (
        <ul className="form-problems" aria-label="Problems">
          {store.problems.map((problem, k) => <li key={k}><button className="form-problem" onClick={() => { const at = findPlace(store.text, problem); if (at !== null && problem.file === store.fileName) revealText(store, at); }}><Icon name="alert" size={14} /><span>{formatProblem(problem)}</span></button></li>)}
        </ul>
      )}
      {isComponent && !isNested && <TextField path={[...drawing.base, "name"]} label="Name" value={text(head.name)} isCode isDisabled={isLocked} onSet={set("name")} />}
      {isComponent && !isNested && <TextField path={[...drawing.base, "version"]} label="Version" value={text(head.version)} isCode isDisabled={isLocked} onSet={set("version")} />}
      <TextField path={[...drawing.base, "display_name"]} label="Display name" value={text(head.display_name)} isDisabled={isLocked} onSet={set("display_name")} />
      {!isNested && !isComponent && <TextField path={[...drawing.base, "experiment_name"]} label="Experiment" value={text(head.experiment_name)} isDisabled={isLocked} onSet={set("experiment_name")} />}
      <TextField path={[...drawing.base, "description"]} label="Description" value={text(head.description)} isLong isDisabled={isLocked} onSet={set("description")} />
      {!isComponent && !isNested && (
        <>
          <h3>Settings</h3>
          <TextField path={compute} label="Compute" value={text(settings.default_compute ?? head.compute)} isCode isDisabled={isLocked} onSet={set(...compute)} />
          <TextField path={["settings", "default_datastore"]} label="Datastore" value={text(settings.default_datastore)} isCode isDisabled={isLocked} onSet={set("settings", "default_datastore")} />
          {FLAGS.map(([key, label]) => (
            <ChoiceField key={key} label={label} value={settings[key] === true ? "true" : settings[key] === false ? "false" : ""} isDisabled={isLocked}
              choices={[{ value: "", label: "not set (no)" }, { value: "true", label: "yes" }, { value: "false", label: "no" }]}
              onSet={(next) => void attemptEdit(() => store.edit((changes) => setField(changes, ["settings", key], next === "" ? undefined : next === "true")))} />
          ))}
        </>
      )}
      {!isComponent && !isNested && SPECIAL.map(([key, label]) => (
        <ChoiceField key={key} label={label} value={text(settings[key])} isDisabled={isLocked}
          choices={[{ value: "", label: "none" }, ...drawing.steps.map(({ name }) => ({ value: name, label: name })), ...(settings[key] && drawing.steps.every(({ name }) => name !== settings[key]) ? [{ value: text(settings[key]), label: text(settings[key]) }] : [])]}
          onSet={(next) => void set("settings", key)(next)} />
      ))}
      <h3>Inputs</h3>
      {drawing.inputs.map((port) => <PortFields key={port.name} store={store} port={port} side="inputs" isLocked={isLocked} />)}
      <NewPort label="input" isLocked={isLocked} taken={drawing.inputs.map(({ name }) => name)} onAdd={(name, type) => attemptEdit(() => store.edit((changes) => {
        addInput(changes, drawing, name, type, isLiteral(type) ? startValue(type) : "");
      }))} />
      <h3>Outputs</h3>
      {drawing.outputs.map((port) => <PortFields key={port.name} store={store} port={port} side="outputs" isLocked={isLocked} />)}
      <NewPort label="output" dataOnly isLocked={isLocked} taken={drawing.outputs.map(({ name }) => name)} onAdd={(name, type) => attemptEdit(() => store.edit((changes) => addOutput(changes, drawing.base, name, type)))} />
      <PipelineKeys store={store} isLocked={isLocked} isNested={isNested} />
    </section>
  );
});

/** What else the file says of the pipeline. */
function PipelineKeys({ store: { drawing }, store, isLocked, isNested }: { store: DesignerStore; isLocked: boolean; isNested: boolean }) {
  const { head, settings, kind, base } = drawing;
  const isJob = kind === "job" && !isNested;
  const shown = ["jobs", "inputs", "outputs", "display_name", "description", ...(isNested ? [] : kind === "component" ? ["name", "version"] : ["experiment_name"]), ...(isJob && settings.default_compute === undefined ? ["compute"] : []), ...(isJob ? ["settings"] : [])];
  const own = Object.fromEntries(Object.entries(head).filter(([key]) => !shown.includes(key)));
  const further = isJob ? Object.fromEntries(Object.entries(settings).filter(([key]) => !SETTINGS.has(key))) : {};
  if (!Object.keys(own).length && !Object.keys(further).length) return null;
  return (
    <>
      <h3>Further keys</h3>
      <KeyFields store={store} path={base} value={own} isLocked={isLocked} />
      {Object.keys(further).length > 0 && <KeyFields store={store} path={[...base, "settings"]} value={further} isLocked={isLocked} />}
    </>
  );
}

const SETTINGS = new Set<string>(["default_compute", "default_datastore", ...FLAGS.map(([key]) => key), ...SPECIAL.map(([key]) => key)]);

function PortFields({ store, port, side, isLocked }: { store: DesignerStore; port: PipelinePort; side: "inputs" | "outputs"; isLocked: boolean }) {
  const { drawing } = store;
  const { name, spec, given } = port;
  const path = [...drawing.base, side, name];
  const rename = (to: string) => {
    if (!/^[A-Za-z_]\w*$/.test(to)) return `'${to}' is no name of an ${side.slice(0, -1)}; use letters, digits and _`;
    if (drawing[side].some((other) => other.name === to)) return `there is an ${side.slice(0, -1)} '${to}' already`;
    return attemptEdit(() => store.edit((changes) => renamePipelinePort(changes, drawing.base, side, name, to)));
  };
  const ports = drawing.head[side];
  const written = isFields(ports) ? ports[name] : null;
  const isMapping = store.source.findMap(path) !== undefined;
  const value = given.kind === "data" ? (given.path ?? "") : given.kind === "literal" ? showGiven(given) : given.kind === "expression" ? given.text : "";
  const key = drawing.kind === "component" ? "default" : "path";
  const take = (text: string) => {
    const typed = key === "default" && text !== "" ? parseTyped(name, spec, text) : { value: text };
    if ("problem" in typed) return typed.problem;
    if (isMapping) return attemptEdit(() => store.edit((changes) => setField(changes, [...path, key], text === "" ? undefined : typed.value)));
    const found = parseTyped(name, spec, text);
    return "problem" in found ? found.problem : attemptEdit(() => store.edit((changes) => changes.set(path, found.value)));
  };
  return (
    <div className="form-port pair">
      <TextField label={side === "inputs" ? "Input" : "Output"} path={path} isKey value={name} isCode isDisabled={isLocked} onSet={rename}
        extra={<><span className="form-type">{spec.type ?? "any"}</span><button className="link" disabled={isLocked} aria-label={`Remove the ${side.slice(0, -1)} ${name}`} onClick={() => void attemptEdit(() => store.edit((changes) => removePipelinePort(changes, drawing, side, name)))}>remove</button></>} />
      {side === "inputs" && (drawing.kind === "job" || isLiteral(spec.type)) && <TextField path={isMapping ? [...path, key] : path} label={drawing.kind === "component" ? `Default of ${name}` : `Value of ${name}`} value={isMapping && drawing.kind === "component" ? showValue((spec.default as Value) ?? null) : value} isCode isDisabled={isLocked} onSet={take} />}
      {isFields(written) && <KeyFields store={store} path={path} value={written} except={drawing.kind === "component" ? COMPONENT_PORT : side === "inputs" ? JOB_PORT : TYPE_ALONE} isLocked={isLocked} />}
    </div>
  );
}

const TYPE_ALONE = new Set(["type"]);
const JOB_PORT = new Set(["type", "path"]);
const COMPONENT_PORT = new Set(["type", "default"]);
