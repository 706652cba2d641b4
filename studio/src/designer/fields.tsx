import { createContext, useContext, useEffect, useId, useRef, useState, type KeyboardEvent, type ReactNode } from "react";
import type { Path } from "./yaml/source";

/** What a field is about: the value at a path of the document, or the key there. */
export interface FieldPlace {
  path: Path;
  isKey?: boolean;
}

/** A text that could not be taken in the place of a value, and why. */
export interface RefusedText {
  label: string;
  text: string;
  why: string;
  value: string;
}

/** The refused texts of one form, which it shows again when it is opened again. */
export interface FormRefusals {
  find: (place: FieldPlace) => RefusedText | undefined;
  /** True if a text was refused at a path or below it. */
  has: (path: Path) => boolean;
  refuse: (place: FieldPlace, refused: RefusedText | null) => void;
}

export const RefusalContext = createContext<FormRefusals>({ find: () => undefined, has: () => false, refuse: () => {} });

interface TextProps extends FieldPlace {
  label: string;
  value: string;
  hint?: string;
  placeholder?: string;
  isCode?: boolean;
  isLong?: boolean;
  /** A text that may have several lines, each begun by Shift and Enter. */
  isText?: boolean;
  list?: string[];
  isDisabled?: boolean;
  extra?: ReactNode;
  /** Returns why the text cannot be taken; null once it is. */
  onSet: (text: string) => string | null;
}

/** A field whose text is taken when it is left, by Enter and before it is saved; Escape brings the old one back. */
export function TextField({ path, isKey, label, value, hint, placeholder, isCode, isLong, isText, list, isDisabled, extra, onSet }: TextProps) {
  const id = useId();
  const refusals = useContext(RefusalContext);
  const place = { path, isKey };
  const [kept] = useState(() => refusals.find(place));
  const isKept = kept?.value === value;
  const [text, setText] = useState(isKept ? kept.text : value);
  const [problem, setProblem] = useState(isKept ? kept.why : null);
  const shown = useRef(kept ? kept.value : value);
  function showValue() {
    setText(value);
    setProblem(null);
    refusals.refuse(place, null);
  }
  useEffect(() => {
    if (shown.current === value) return;
    shown.current = value;
    showValue();
  }, [value]);
  useEffect(() => {
    if (problem !== null && !refusals.find(place)) showValue(); // dropped, as what it stood for has changed
  });
  function take() {
    const why = text === value ? null : onSet(text);
    setProblem(why);
    refusals.refuse(place, why === null ? null : { label, text, why, value });
  }
  function press(event: KeyboardEvent) {
    if (event.key === "Enter" && (isLong ? event.ctrlKey || event.metaKey : !event.shiftKey)) {
      if (isText) event.preventDefault();
      take();
    }
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s") take(); // before it is saved
    if (event.key === "Escape") {
      event.stopPropagation();
      showValue();
    }
  }
  const common = {
    id, value: text, placeholder, disabled: isDisabled, className: isCode ? "field mono" : "field", "aria-describedby": hint || problem ? `${id}-hint` : undefined, "aria-invalid": problem !== null,
    onChange: (event: { target: { value: string } }) => setText(event.target.value), onBlur: take, onKeyDown: press, spellCheck: false, "data-taken": text === value,
  };
  return (
    <div className="form-row">
      <div className="form-label"><label htmlFor={id}>{label}</label>{extra}</div>
      {isLong || isText ? <textarea {...common} rows={Math.min(10, Math.max(isText ? 1 : 3, text.split("\n").length))} /> : <input {...common} list={list ? `${id}-list` : undefined} autoComplete="off" />}
      {list && <datalist id={`${id}-list`}>{list.map((one) => <option key={one} value={one} />)}</datalist>}
      {(problem ?? hint) && <p id={`${id}-hint`} className={problem ? "form-hint problem" : "form-hint"} role={problem ? "alert" : undefined}>{problem ?? hint}</p>}
    </div>
  );
}

export interface Choice {
  value: string;
  label: string;
  /** Why it cannot be chosen. */
  why?: string | null;
}

/** More choices than this are put into the page when somebody goes there. */
const MANY = 100;

export function ChoiceField({ label, value, choices, hint, isDisabled, extra, onSet }: { label: string; value: string; choices: Choice[]; hint?: string; isDisabled?: boolean; extra?: ReactNode; onSet: (value: string) => void }) {
  const id = useId();
  const [isOpen, setOpen] = useState(choices.length <= MANY);
  const shown = isOpen ? choices : choices.filter((one) => one.value === value);
  return (
    <div className="form-row">
      <div className="form-label"><label htmlFor={id}>{label}</label>{extra}</div>
      <select id={id} className="field" value={value} onFocus={() => setOpen(true)} onPointerEnter={() => setOpen(true)} disabled={isDisabled} aria-describedby={hint ? `${id}-hint` : undefined} onChange={(event) => onSet(event.target.value)}>
        {shown.map((one) => <option key={one.value} value={one.value} disabled={Boolean(one.why)}>{one.why ? `${one.label} – ${one.why}` : one.label}</option>)}
      </select>
      {hint && <p id={`${id}-hint`} className="form-hint">{hint}</p>}
    </div>
  );
}
