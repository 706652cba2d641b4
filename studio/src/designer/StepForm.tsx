import { memo, useContext, useState } from "react";
import { Icon } from "../shell/icons";
import { tellError } from "../shell/toasts";
import { addInput, addOutput, bindPort, type Changes, clearInput, connectOutput, disconnectOutput, makeFreeName, removeSteps, setField, setInput, setPlainText } from "./pipeline/changes";
import { inputId, readStepBody, RUNNERS, stepId, type Drawing, type Port, type Step } from "./pipeline/drawing";
import { bindInput, bindStep } from "./pipeline/expressions";
import { ChoiceField, RefusalContext, TextField, type Choice } from "./fields";
import { KeyFields } from "./KeyFields";
import { isLiteral } from "./pipeline/ports";
import { isFields, TITLES } from "./pipeline/step_fields";
import { explainConnection } from "./pipeline/rules";
import { listSuggestions } from "./pipeline/suggestions";
import { explainConversion, sweepInput, convertStep, CONVERSIONS, type Conversion } from "./pipeline/conversion";
import type { DesignerStore } from "./store";
import { describeSpec, parseTyped, showGiven, showValue, startValue } from "./pipeline/values";
import type { Value } from "./yaml/source";

const NAME = /^[A-Za-z_][\w-]*$/;

/** Run an edit; return its sentence if it cannot be made. */
export function attemptEdit(work: () => void): string | null {
  try {
    work();
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

interface StepFormProps {
  store: DesignerStore;
  /** What the store has drawn; the form is made again when it changes. */
  drawn: number;
  step: Step;
  onOpenFile: (path: string) => void;
  onOpenInner: (name: string) => void;
}

export const StepForm = memo(function StepForm({ store, step, onOpenFile, onOpenInner }: StepFormProps) {
  const { drawing } = store;
  const problems = store.stepProblems.get(step.name) ?? [];
  const isLocked = store.source.isBroken || step.isAlias;
  const raw = readStepBody(drawing, step);
  const rename = (to: string) => {
    if (!NAME.test(to)) return `'${to}' is no name of a step; use letters, digits, _ and -, and begin with a letter or _`;
    if (drawing.steps.some(({ name }) => name === to)) return `there is a step '${to}' already`;
    const positions = Object.keys(store.positions).length ? Object.fromEntries(Object.entries(store.positions).map(([id, at]) => [id === stepId(step.name) ? stepId(to) : id, at])) : undefined;
    return attemptEdit(() => {
      store.renameStep(step.name, to, positions);
      store.select([stepId(to)]);
    });
  };
  const componentKey = typeof raw.component === "string" || !("trial" in raw) ? "component" : "trial";
  const set = (key: string) => (text: string) => attemptEdit(() => store.edit((changes) => setField(changes, [...step.path, key], text === "" ? undefined : text)));
  const isInPlace = step.component === null && step.inner === null && typeof raw.component !== "object" && !RUNNERS.has(step.type);
  const hasCommand = isInPlace && step.type === "command";
  const hasEnvironment = hasCommand && typeof raw.environment !== "object";
  const except = new Set(["type", "inputs", "outputs", "compute", ...(step.inner ? ["jobs", ...(step.inner.at(-1) === "component" ? ["component"] : [])] : []), ...(hasCommand ? ["command", "code"] : []), ...(hasEnvironment ? ["environment"] : []), ...(step.component === null ? [] : [componentKey])]);
  const hasPorts = !RUNNERS.has(step.type) || step.inputs.length + step.outputs.length > 0;
  const hasInputs = !RUNNERS.has(step.type) || step.inputs.length > 0;
  const convert = (to: Conversion) => {
    const why = attemptEdit(() => {
      let next = step.name;
      store.edit((changes) => (next = convertStep(changes, drawing, step, to)));
      store.select([stepId(next)]);
    });
    if (why) tellError(why);
  };
  const conversions = (Object.keys(CONVERSIONS) as Conversion[]).map((one) => ({ one, why: explainConversion(drawing, step, one) }));
  const ownKeys = (
    <>
      <h3>{TITLES[step.type] ?? "Further keys"}</h3>
      <KeyFields store={store} path={step.path} value={raw} table={store.stepFields[step.type]} type={step.type} isOffering={step.component === null || step.type === "sweep"} except={except} isLocked={isLocked}
        suggestions={listSuggestions(drawing, step)} />
      {step.type === "parallel" && <p className="form-hint">The script is yours: its function <code>run(mini_batch)</code> gets paths of files, or rows of a table, and returns a list.</p>}
    </>
  );
  return (
    <section className="draw-form" aria-label={`Step ${step.name}`}>
      <header className="form-head">
        <h2>{step.title || step.name}</h2>
        {step.inner && <button className="button small" onClick={() => onOpenInner(step.name)}>Open</button>}
        <button className="button quiet icon small" aria-label={`Remove ${step.name}`} disabled={isLocked} onClick={() => attemptEdit(() => store.edit((changes) => removeSteps(changes, drawing, [step.name])))}><Icon name="trash" size={14} /></button>
      </header>
      {problems.map((problem) => <p key={problem} className="form-problem"><Icon name="alert" size={14} />{problem}</p>)}
      {step.isAlias && <p className="form-hint">This step is an alias of another part of the file; change it there, in the YAML.</p>}
      {step.description && <p className="muted">{step.description}</p>}
      <TextField path={step.path} isKey label="Name" value={step.name} isCode isDisabled={isLocked} onSet={rename} />
      {conversions.some(({ why }) => !why) && <ConversionField step={step} conversions={conversions} isLocked={isLocked} onConvert={convert} />}
      {hasCommand && <TextField path={[...step.path, "command"]} label="Command" value={showValue(raw.command ?? "")} isCode isLong isDisabled={isLocked} onSet={set("command")} />}
      {hasEnvironment && <TextField path={[...step.path, "environment"]} label="Environment" value={showValue(raw.environment ?? "")} isCode isDisabled={isLocked} onSet={set("environment")} />}
      {hasCommand && <TextField path={[...step.path, "code"]} label="Code" value={showValue(raw.code ?? "")} placeholder="a folder, such as ./src" isCode isDisabled={isLocked} onSet={set("code")} />}
      {TITLES[step.type] && <>{ownKeys}</>}
      {hasInputs && <h3>Inputs</h3>}
      {!hasInputs ? null : step.inputs.length ? step.inputs.map((port) => <InputField key={port.name} store={store} drawing={drawing} step={step} port={port} isLocked={isLocked} />) : <p className="form-hint">It has none.</p>}
      {isInPlace && <NewPort label="input" isLocked={isLocked} taken={step.inputs.map(({ name }) => name)} onAdd={(name, type) => attemptEdit(() => store.edit((changes) => changes.set([...step.path, "inputs", name], isLiteral(type) ? startValue(type) : { type, path: "" })))} />}
      {hasPorts && <h3>Outputs</h3>}
      {!hasPorts ? null : step.outputs.length ? step.outputs.map((port) => <OutputField key={port.name} store={store} drawing={drawing} step={step} port={port} isLocked={isLocked} />) : <p className="form-hint">It has none.</p>}
      {isInPlace && <NewPort label="output" isLocked={isLocked} taken={step.outputs.map(({ name }) => name)} dataOnly onAdd={(name, type) => attemptEdit(() => store.edit((changes) => changes.set([...step.path, "outputs", name], { type })))} />}
      <h3>Settings</h3>
      {step.component !== null && (
        <TextField path={[...step.path, componentKey]} label="Component" value={step.component} isCode isDisabled={isLocked} hint={step.spec?.version ? `version ${step.spec.version}` : undefined}
          extra={step.spec?.file ? <button className="link" onClick={() => onOpenFile(step.spec!.file!)}>open</button> : undefined} onSet={set(componentKey)} />
      )}
      <TextField path={[...step.path, "compute"]} label="Compute" value={showValue(raw.compute ?? "")} placeholder="the pipeline's" isCode isDisabled={isLocked} onSet={set("compute")} />
      {!TITLES[step.type] && ownKeys}
    </section>
  );
});

/** Chooses what becomes of a step, and does it only when asked: a select changes at every arrow key. */
function ConversionField({ step, conversions, isLocked, onConvert }: { step: Step; conversions: { one: Conversion; why: string | null }[]; isLocked: boolean; onConvert: (to: Conversion) => void }) {
  const [chosen, setChosen] = useState<Conversion | "">("");
  const canConvert = conversions.some(({ one, why }) => one === chosen && why === null);
  return (
    <div className="form-new entry">
      <select className="field" aria-label={`Turn ${step.name} into`} value={chosen} disabled={isLocked} onChange={(event) => setChosen(event.target.value as Conversion | "")}>
        <option value="">turn it into…</option>
        {conversions.map(({ one, why }) => <option key={one} value={one} disabled={why !== null}>{CONVERSIONS[one]}{why ? ` – ${why}` : ""}</option>)}
      </select>
      <button className="button" disabled={isLocked || !canConvert} onClick={() => { setChosen(""); if (chosen) onConvert(chosen); }}>Turn</button>
    </div>
  );
}

const VALUE = "value";
const SWEPT = "search space";
const UNSET = "unset";

interface PortProps {
  store: DesignerStore;
  drawing: Drawing;
  step: Step;
  port: Port;
  isLocked: boolean;
}

function InputField({ store, drawing, step, port, isLocked }: PortProps) {
  const { name, spec, given } = port;
  const space = readStepBody(drawing, step).search_space;
  const isSwept = isFields(space) && name in space && given.kind === "none";
  const own = isSwept ? SWEPT : given.kind === "reference" ? (given.to.kind === "step" ? bindStep(given.to.step, given.to.output) : given.to.kind === "input" ? bindInput(given.to.input) : VALUE) : given.kind === "none" ? UNSET : VALUE;
  const refusals = useContext(RefusalContext);
  const path = [...step.path, "inputs", name];
  const [isTyping, keepTyping] = useState(() => store.isTyped(path) || refusals.find({ path }) !== undefined);
  const setTyping = (is: boolean) => {
    store.markTyped(path, is);
    keepTyping(is);
  };
  const value = isTyping && own === UNSET ? VALUE : own;
  const choices: Choice[] = [
    { value: UNSET, label: spec.default !== undefined && spec.default !== null ? `default (${String(spec.default)})` : spec.optional ? "nothing" : "not set" },
    { value: VALUE, label: isLiteral(spec.type) ? "a value" : "data" },
    ...(step.type === "sweep" && isLiteral(spec.type) ? [{ value: SWEPT, label: "the search space" }] : []),
    ...drawing.inputs.map((input) => ({ value: bindInput(input.name), label: `the pipeline's ${input.name}`, why: explainConnection(drawing, { node: inputId(input.name), port: input.name }, { node: stepId(step.name), port: name }) })),
    ...drawing.steps.filter((other) => other !== step).flatMap((other) => other.outputs.map((output) => ({ value: bindStep(other.name, output.name), label: `${other.name} → ${output.name}`, why: explainConnection(drawing, { node: stepId(other.name), port: output.name }, { node: stepId(step.name), port: name }) }))),
  ];
  if (!choices.some((one) => one.value === own)) choices.push({ value: own, label: own });
  function choose(next: string) {
    setTyping(next === VALUE);
    if (next === UNSET) refusals.refuse({ path }, null);
    if (next === own) return;
    const why = attemptEdit(() => store.edit((changes) => {
      if (isSwept) changes.remove([...step.path, "search_space", name]);
      if (next === SWEPT) sweepInput(changes, step, port);
      else if (next === UNSET) clearInput(changes, step, name);
      else if (next !== VALUE) bindPort(changes, step, name, next);
      else if ((isSwept || given.kind === "reference") && isLiteral(spec.type)) startInput(changes, step, port);
      else if (given.kind === "reference") setInput(changes, step, port, "");
    }));
    if (why) tellError(why);
  }
  const type = <span className="form-type">{spec.type ?? "any"}{!spec.optional && (spec.default === undefined || spec.default === null) ? " · required" : ""}</span>;
  return (
    <div className="form-port" data-undeclared={!port.isDeclared || undefined}>
      <ChoiceField label={name} value={value} choices={choices} extra={type} isDisabled={isLocked} hint={spec.description ?? (port.isDeclared ? undefined : "the component has no such input")} onSet={choose} />
      {value === VALUE && <ValueField store={store} drawing={drawing} step={step} port={port} isLocked={isLocked} />}
      {value === VALUE && given.kind !== "expression" && (
        <button className="link" disabled={isLocked} onClick={() => promoteInput(store, drawing, step, port)}>make it an input of the pipeline</button>
      )}
      <PortKeys store={store} drawing={drawing} step={step} port={port} side="inputs" isLocked={isLocked} />
    </div>
  );
}

/** Give an input the value that it begins with; none where somebody has to say one. */
function startInput(changes: Changes, step: Step, port: Port): void {
  const value = (port.spec.default as Value | undefined) ?? startValue(port.spec.type!.toLowerCase());
  if (value === null) clearInput(changes, step, port.name);
  else setInput(changes, step, port, value);
}

/** What a port has beside its type and its value, such as a mode. */
function PortKeys({ store, drawing, step, port, side, isLocked }: PortProps & { side: "inputs" | "outputs" }) {
  const ports = readStepBody(drawing, step)[side];
  const value = isFields(ports) ? ports[port.name] : null;
  if (!isFields(value)) return null;
  const isBound = side === "inputs" || port.given.kind === "reference";
  return <KeyFields store={store} path={[...step.path, side, port.name]} value={value} except={isBound ? PORT_KEYS : TYPE_ALONE} isLocked={isLocked} />;
}

const TYPE_ALONE = new Set(["type"]);
const PORT_KEYS = new Set(["type", "path"]);

function promoteInput(store: DesignerStore, drawing: Drawing, step: Step, port: Port): void {
  const { spec, given } = port;
  const name = makeFreeName(port.name, new Set(drawing.inputs.map((input) => input.name)));
  const value: Value = given.kind === "literal" ? given.value : given.kind === "data" ? given.path : ((spec.default as Value | undefined) ?? (isLiteral(spec.type) ? startValue(spec.type!.toLowerCase()) : ""));
  const why = attemptEdit(() => store.edit((changes) => {
    addInput(changes, drawing, name, spec.type ?? "string", value);
    if (given.kind === "literal") setPlainText(changes, [...drawing.base, "inputs", name, ...(drawing.kind === "component" ? ["default"] : [])], given.text);
    bindPort(changes, step, port.name, bindInput(name));
  }));
  if (why) tellError(why);
}

function ValueField({ store, drawing, step, port, isLocked }: PortProps) {
  const { name, spec, given } = port;
  const shown = given.kind === "literal" ? showGiven(given) : given.kind === "data" ? (given.path ?? "") : given.kind === "expression" ? given.text : "";
  const label = `value of ${name}`;
  const take = (text: string) => {
    if (text.includes("${{")) return attemptEdit(() => store.edit((changes) => bindPort(changes, step, name, text)));
    const found = parseTyped(name, spec, text);
    return "problem" in found ? found.problem : attemptEdit(() => store.edit((changes) => setInput(changes, step, port, found.value)));
  };
  const allowed = spec.type?.toLowerCase() === "boolean" ? ["true", "false"] : spec.enum?.map(String);
  if (allowed?.length && (shown === "" || allowed.includes(shown))) {
    const choices = [...(shown === "" ? [{ value: "", label: "choose" }] : []), ...allowed.map((one) => ({ value: one, label: one }))];
    return <ChoiceField label={label} value={shown} choices={choices} isDisabled={isLocked} hint={describeSpec(spec)} onSet={(text) => void (text && take(text))} />;
  }
  const isData = !isLiteral(spec.type);
  const inputs = readStepBody(drawing, step).inputs;
  const path = [...step.path, "inputs", name, ...(isFields(inputs) && isFields(inputs[name]) ? ["path"] : [])];
  return <TextField path={path} label={label} value={shown} isCode={isData} isText={spec.type?.toLowerCase() === "string"} isDisabled={isLocked} hint={describeSpec(spec)} placeholder={isData ? "azureml:NAME@latest, ./folder or a URI" : undefined} onSet={take} />;
}

function OutputField({ store, drawing, step, port, isLocked }: PortProps) {
  const bound = port.given.kind === "reference" && port.given.to.kind === "output" ? port.given.to.output : "";
  const choices: Choice[] = [
    { value: "", label: "for the next steps" },
    ...drawing.outputs.map(({ name }) => ({ value: `out ${name}`, label: `the pipeline's ${name}`, why: explainConnection(drawing, { node: stepId(step.name), port: port.name }, { node: `output:${name}`, port: name }) })),
    { value: "new", label: "a new output of the pipeline" },
  ];
  function choose(next: string) {
    const why = attemptEdit(() => store.edit((changes) => {
      if (next === "") disconnectOutput(changes, step, port.name);
      else if (next !== "new") connectOutput(changes, step, port.name, next.slice(4));
      else {
        const name = makeFreeName(port.name, new Set(drawing.outputs.map((output) => output.name)));
        addOutput(changes, drawing.base, name, port.spec.type ?? "uri_folder");
        connectOutput(changes, step, port.name, name);
      }
    }));
    if (why) tellError(why);
  }
  const field = <ChoiceField label={port.name} value={bound ? `out ${bound}` : ""} choices={choices} extra={<span className="form-type">{port.spec.type ?? "any"}</span>} isDisabled={isLocked} hint={port.spec.description} onSet={choose} />;
  return <div className="form-port">{field}<PortKeys store={store} drawing={drawing} step={step} port={port} side="outputs" isLocked={isLocked} /></div>;
}

const TYPES = ["uri_folder", "uri_file", "mltable", "mlflow_model", "custom_model", "string", "integer", "number", "boolean"];

/** Adds an input or output by name and type. */
export function NewPort({ label, taken, dataOnly, isLocked, onAdd }: { label: string; taken: string[]; dataOnly?: boolean; isLocked: boolean; onAdd: (name: string, type: string) => string | null }) {
  const [name, setName] = useState("");
  const [type, setType] = useState("uri_folder");
  const [problem, setProblem] = useState<string | null>(null);
  function add() {
    const why = !NAME.test(name) ? `'${name}' is no name of an ${label}; use letters, digits and _` : taken.includes(name) ? `there is an ${label} '${name}' already` : onAdd(name, type);
    setProblem(why);
    if (!why) setName("");
  }
  return (
    <div className="form-new">
      <input className="field mono" aria-label={`Name of a new ${label}`} placeholder={`new ${label}`} value={name} disabled={isLocked} onChange={(event) => setName(event.target.value)} onKeyDown={(event) => event.key === "Enter" && name && add()} />
      <select className="field" aria-label={`Type of the new ${label}`} value={type} disabled={isLocked} onChange={(event) => setType(event.target.value)}>
        {TYPES.filter((one) => !dataOnly || !isLiteral(one)).map((one) => <option key={one}>{one}</option>)}
      </select>
      <button className="button icon" aria-label={`Add the ${label}`} disabled={isLocked || !name} onClick={add}><Icon name="plus" size={14} /></button>
      {problem && <p className="form-hint problem" role="alert">{problem}</p>}
    </div>
  );
}
