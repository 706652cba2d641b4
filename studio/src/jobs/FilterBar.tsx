import { useEffect, useState, type ReactNode } from "react";
import type { JobCounts, State } from "../api/types";
import { Icon } from "../shell/icons";
import { setQuery } from "../shell/router";
import { StateIcon } from "../shell/StateBadge";
import { formatCount } from "../text/format";
import { nameState } from "../text/states";
import { ConditionForm } from "./ConditionForm";
import { isFiltered, LISTS, SPANS, toggle, type JobFilter, type ListKey } from "./filter";
import { Menu } from "./Menu";

const PAUSE = 150;
const NAMES: Record<ListKey, string> = { status: "State", experiment: "Experiment", type: "Type", owner: "Owner", tag: "Tag", where: "Metric" };
const MOST = 200;

export function FilterBar({ filter, counts }: { filter: JobFilter; counts: JobCounts | undefined }) {
  const [text, setText] = useState(filter.search);
  useEffect(() => setText(filter.search), [filter.search]);
  useEffect(() => {
    if (text === filter.search) return;
    const timer = setTimeout(() => setQuery({ search: text || null }, { replace: true }), PAUSE);
    return () => clearTimeout(timer);
  }, [text, filter.search]);
  const options: Record<Exclude<ListKey, "tag" | "where">, [string, number][]> = {
    status: Object.entries(counts?.states ?? {}),
    experiment: (counts?.experiments ?? []).map((one) => [one.name, one.jobs]),
    type: Object.entries(counts?.types ?? {}),
    owner: Object.entries(counts?.owners ?? {}),
  };
  return (
    <div className="filter-bar">
      <label className="search-field">
        <Icon name="search" />
        <span className="visually-hidden">Search in names and experiments</span>
        <input className="field" type="search" value={text} placeholder="Search in names and experiments" onChange={(event) => setText(event.target.value)} />
      </label>
      {(["status", "experiment", "type", "owner"] as const).map((key) => (
        <Menu key={key} label={NAMES[key]} count={filter[key].length}>
          {() => <Choices name={NAMES[key]} options={options[key]} chosen={filter[key]} onToggle={(value) => setQuery({ [key]: toggle(filter[key], value) })} render={key === "status" ? renderState : undefined} />}
        </Menu>
      ))}
      <Menu label="Tag" count={filter.tag.length}>{(close) => <TagForm filter={filter} close={close} />}</Menu>
      <Menu label="Metric" count={filter.where.length}>{(close) => <ConditionForm filter={filter} close={close} />}</Menu>
      <select className="field" aria-label="Time" value={filter.since} onChange={(event) => setQuery({ since: event.target.value || null })}>
        <option value="">Any time</option>
        {Object.entries(SPANS).map(([key, span]) => <option key={key} value={key}>{span.name}</option>)}
      </select>
    </div>
  );
}

/** The choice between active and archived jobs, and between the table and the experiments. */
export function ViewControls({ filter }: { filter: JobFilter }) {
  return (
    <>
      <select className="field" aria-label="Archived jobs" value={filter.view} onChange={(event) => setQuery({ view: event.target.value === "active" ? null : event.target.value })}>
        <option value="active">Without archived</option>
        <option value="archived">Archived only</option>
        <option value="all">With archived</option>
      </select>
      <button className="button" aria-pressed={filter.group} onClick={() => setQuery({ group: filter.group ? null : "experiment" })}>
        <Icon name="group" />By experiment
      </button>
    </>
  );
}

function renderState(value: string): ReactNode {
  return <><StateIcon state={value as State} />{nameState(value as State)}</>;
}

export function Choices({ name, options, chosen, onToggle, render }: {
  name: string;
  options: [string, number][];
  chosen: string[];
  onToggle: (value: string) => void;
  render?: (value: string) => ReactNode;
}) {
  const [text, setText] = useState("");
  const missing = chosen.filter((value) => !options.some(([one]) => one === value)).map((value): [string, number] => [value, 0]);
  const shown = [...missing, ...options].filter(([value]) => value.toLowerCase().includes(text.toLowerCase())).slice(0, MOST);
  return (
    <fieldset>
      <legend className="visually-hidden">{name}</legend>
      {options.length > 8 && <input className="field" value={text} placeholder={`Find ${name.toLowerCase()}`} aria-label={`Find ${name.toLowerCase()}`} onChange={(event) => setText(event.target.value)} />}
      {shown.map(([value, count]) => (
        <label key={value} className="choice">
          <input type="checkbox" checked={chosen.includes(value)} onChange={() => onToggle(value)} />
          <span className="value">{render ? render(value) : value}</span>
          {count > 0 && <span className="muted number">{formatCount(count)}</span>}
        </label>
      ))}
      {!shown.length && options.length > 0 && <p className="muted">None.</p>}
    </fieldset>
  );
}

function TagForm({ filter, close }: { filter: JobFilter; close: () => void }) {
  const [text, setText] = useState("");
  return (
    <form onSubmit={(event) => {
      event.preventDefault();
      if (text.trim()) setQuery({ tag: [...new Set([...filter.tag, text.trim()])] });
      close();
    }}>
      <label className="tag-form">
        <span>A tag, or a tag with its value</span>
        <input className="field" autoFocus value={text} placeholder="team=vision" onChange={(event) => setText(event.target.value)} />
      </label>
    </form>
  );
}

/** What the filter keeps, each with a button that drops it. */
export function FilterChips({ filter }: { filter: JobFilter }) {
  if (!isFiltered(filter)) return null;
  const chips: { key: string; text: string; drop: () => void }[] = LISTS.flatMap((key) =>
    filter[key].map((value) => ({ key: `${key}=${value}`, text: `${NAMES[key]}: ${key === "status" ? nameState(value as State) : value}`, drop: () => setQuery({ [key]: toggle(filter[key], value) }) })),
  );
  const span = SPANS[filter.since];
  if (span) chips.push({ key: "since", text: span.name, drop: () => setQuery({ since: null }) });
  if (!chips.length) return null;
  return (
    <div className="chips">
      {chips.map((chip) => (
        <button key={chip.key} className="chip" onClick={chip.drop} aria-label={`Drop ${chip.text}`}>{chip.text}<Icon name="close" size={12} /></button>
      ))}
      <button className="button quiet small" onClick={() => setQuery({ ...Object.fromEntries(LISTS.map((key) => [key, null])), since: null, search: null })}>Clear</button>
    </div>
  );
}
