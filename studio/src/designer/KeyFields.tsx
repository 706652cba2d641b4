import { useContext, useId, useState } from "react";
import { Icon } from "../shell/icons";
import { ChoiceField, RefusalContext, TextField } from "./fields";
import { setField } from "./pipeline/changes";
import { describeField, findTable, foldWord, isFields, isPlainList, listKeys, parseField, showList, startEntry, type Fields, type StepField, type StepFieldTable } from "./pipeline/step_fields";
import { showValue } from "./pipeline/values";
import { attemptEdit } from "./StepForm";
import type { DesignerStore } from "./store";
import { revealText } from "./YamlEditor";
import type { Path, Value } from "./yaml/source";

interface KeysProps {
  store: DesignerStore;
  path: Path;
  value: Fields;
  table?: StepFieldTable;
  /** The type of the step whose own keys are offered. */
  type?: string;
  isOffering?: boolean;
  except?: ReadonlySet<string>;
  isLocked: boolean;
  /** Expressions that a text may be, by key. */
  suggestions?: Record<string, string[]>;
}

/** The keys of a mapping, each of which can be read and changed, and those that can be added. */
export function KeyFields({ store, path, value, table, type, isOffering, except, isLocked, suggestions }: KeysProps) {
  const refusals = useContext(RefusalContext);
  const { shown, more } = listKeys(table, value, { type, isOffering, except });
  const [added, setAdded] = useState(() => more.filter((key) => refusals.has([...path, key])));
  const asked = added.filter((key) => !shown.includes(key));
  const rest = more.filter((key) => !asked.includes(key));
  return (
    <>
      {[...shown, ...asked].map((key) => (
        <KeyField key={key} store={store} path={[...path, key]} name={key} value={value[key]} isThere={key in value} field={table?.[key]} isKnown={!table || key in table} isLocked={isLocked} suggestions={suggestions} />
      ))}
      {rest.length > 0 && (
        <select className="field add-key" aria-label={`Add a key to ${path.at(-1)}`} value="" disabled={isLocked} onChange={(event) => setAdded([...asked, event.target.value])}>
          <option value="">add a key…</option>
          {rest.map((key) => <option key={key} value={key}>{key}</option>)}
        </select>
      )}
    </>
  );
}

interface KeyProps {
  store: DesignerStore;
  path: Path;
  name: string;
  value: Value | undefined;
  isThere: boolean;
  field?: StepField;
  isKnown: boolean;
  isLocked: boolean;
  suggestions?: Record<string, string[]>;
}

function KeyField(props: KeyProps) {
  const { store, path, name, value, isThere, field, isKnown, isLocked, suggestions } = props;
  const set = (next: Value | undefined) => attemptEdit(() => store.edit((changes) => (Array.isArray(next) && next.length ? changes.setItems(path, next) : setField(changes, path, isEmpty(next) ? undefined : next))));
  const hint = isKnown ? describeField(field) : "smalt knows no such key here";
  const isWritten = value !== undefined && value !== null;
  if (isFields(value) || (!isWritten && (field?.kind === "group" || field?.kind === "map"))) return <GroupField {...props} value={isFields(value) ? value : {}} hint={hint} onRemove={() => set(undefined)} />;
  if (Array.isArray(value) && !isPlainList(value)) return <WrittenField store={store} path={path} name={name} hint={hint} />;
  const text = isPlainList(value) ? showList(value) : showValue(value ?? null);
  const choices = field?.kind === "boolean" ? ["true", "false"] : field?.kind === "choice" ? (field.choices ?? []) : [];
  const own = choices.find((one) => foldWord(one) === foldWord(text)) ?? text;
  if (choices.length && !text.includes("${{")) {
    const all = [...(field?.required && isThere ? [] : [{ value: "", label: "not set" }]), ...(own && !choices.includes(own) ? [own] : []).concat(choices).map((one) => ({ value: one, label: one }))];
    return <ChoiceField label={name} value={own} choices={all} hint={hint} isDisabled={isLocked} onSet={(next) => void set(next === "" ? undefined : field?.kind === "boolean" ? next === "true" : next)} />;
  }
  const take = (next: string) => {
    if (next === "") return set(undefined);
    const found = parseField(name, field, next, value);
    return "problem" in found ? found.problem : set(found.value);
  };
  const isText = typeof value === "string" || field?.kind === "text";
  return <TextField label={name} path={path} value={text} hint={hint} isCode isText={isText && text.includes("\n")} list={field?.choices ?? suggestions?.[name]} isDisabled={isLocked} onSet={take} />;
}

const isEmpty = (value: Value | undefined): boolean => value === undefined || (Array.isArray(value) && !value.length);

/** A mapping within a form. */
function GroupField({ store, path, name, value, isThere, field, isLocked, suggestions, hint, onRemove }: Omit<KeyProps, "value"> & { value: Fields; hint?: string; onRemove: () => string | null }) {
  const id = useId();
  const isMap = field?.item !== undefined || field?.kind === "map";
  const table = isMap ? Object.fromEntries(Object.keys(value).map((key) => [key, field?.item ?? { kind: "any" }] as [string, StepField])) : findTable(field, value);
  const [problem, setProblem] = useState<string | null>(null);
  return (
    <div className="form-port" role="group" aria-labelledby={id}>
      <div className="form-label">
        <span className="form-group" id={id}>{name}</span>
        {isThere && <button className="link" disabled={isLocked} aria-label={`Remove ${name}`} onClick={() => setProblem(onRemove())}>remove</button>}
      </div>
      {hint && <p className="form-hint">{hint}</p>}
      {problem && <p className="form-hint problem" role="alert">{problem}</p>}
      <KeyFields store={store} path={path} value={value} table={table} isLocked={isLocked} suggestions={suggestions} />
      {isMap && <NewEntry store={store} path={path} name={name} value={value} item={field?.item} isLocked={isLocked} />}
    </div>
  );
}

/** Adds an entry to a mapping with free names. */
function NewEntry({ store, path, name, value, item, isLocked }: { store: DesignerStore; path: Path; name: string; value: Fields; item?: StepField; isLocked: boolean }) {
  const [text, setText] = useState("");
  const [problem, setProblem] = useState<string | null>(null);
  function add() {
    const why = text in value ? `'${name}' has '${text}' already` : attemptEdit(() => store.edit((changes) => setField(changes, [...path, text], startEntry(item))));
    setProblem(why);
    if (!why) setText("");
  }
  return (
    <div className="form-new entry">
      <input className="field mono" aria-label={`Name of a new entry of ${name}`} placeholder="new entry" value={text} disabled={isLocked} onChange={(event) => setText(event.target.value)} onKeyDown={(event) => event.key === "Enter" && text && add()} />
      <button className="button icon" aria-label={`Add the entry to ${name}`} disabled={isLocked || !text} onClick={add}><Icon name="plus" size={14} /></button>
      {problem && <p className="form-hint problem" role="alert">{problem}</p>}
    </div>
  );
}

/** What no field holds: its lines as they are, and the way to them. */
function WrittenField({ store, path, name, hint }: { store: DesignerStore; path: Path; name: string; hint?: string }) {
  const range = store.source.findRange(path);
  const text = range ? store.source.text.slice(...range) : "";
  const line = range ? store.source.text.slice(0, range[0]).split("\n").length : 0;
  return (
    <div className="form-row">
      <div className="form-label"><span className="form-group">{name}</span>{range && <button className="link" onClick={() => revealText(store, range[0])}>line {line} of the YAML</button>}</div>
      <pre className="form-lines" tabIndex={0} aria-label={`${name}, as written`}>{text}</pre>
      {hint && <p className="form-hint">{hint}</p>}
    </div>
  );
}
