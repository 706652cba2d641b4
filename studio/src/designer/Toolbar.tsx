import { useApi } from "../shell/context";
import { Icon, type IconName } from "../shell/icons";
import { Link } from "../shell/Link";
import { buildPath } from "../shell/router";
import { tellError } from "../shell/toasts";
import { Menu } from "../jobs/Menu";
import type { DialogKind, Panels } from "./Designer";
import { describeRefusal, type DesignerStore } from "./store";
import "../jobs/jobs.css";

interface Props {
  store: DesignerStore;
  panels: Panels;
  isBusy: boolean;
  onPanels: (change: (before: Panels) => Panels) => void;
  onSave: () => void;
  onDialog: (kind: DialogKind) => void;
  onDownload: () => void;
  onSubmit: () => void;
  onArrange: () => void;
  onAlign: (way: "row" | "column") => void;
}

export function Toolbar({ store, panels, isBusy, onPanels, onSave, onDialog, onDownload, onSubmit, onArrange, onAlign }: Props) {
  const api = useApi();
  const { base, title: name } = store;
  const toggle = (key: keyof Panels, label: string, icon: IconName) => (
    <button className="button icon" aria-label={label} title={label} aria-pressed={panels[key]} onClick={() => onPanels((before) => ({ ...before, [key]: !before[key] }))}><Icon name={icon} size={14} /></button>
  );
  return (
    <header className="draw-head">
      <nav aria-label="Above this drawing" className="crumbs">
        <Link to={buildPath(api.workspace.folder, "designer")}>Designer</Link>
        {base.length > 0 && <><Icon name="right" size={12} /><button className="link" onClick={() => store.openBase([])}>{name}</button></>}
      </nav>
      <div className="draw-title">
        <h1 title={name}>{base.length ? String(base.filter((part) => part !== "jobs" && part !== "component").join(" / ")) : name}</h1>
        <span className="muted" role="status">{store.isChanged ? "not saved" : ""}</span>
        <CheckState store={store} />
        <span className="space" />
        <button className="button icon" aria-label="Undo" title="Undo (Ctrl Z)" disabled={!store.canUndo} onClick={() => store.undo()}><Icon name="undo" size={14} /></button>
        <button className="button icon" aria-label="Redo" title="Redo (Ctrl Y)" disabled={!store.canRedo} onClick={() => store.redo()}><Icon name="redo" size={14} /></button>
        <button className="button icon" aria-label="Arrange" title="Arrange the drawing" onClick={onArrange}><Icon name="fit" size={14} /></button>
        {toggle("palette", "Components", "group")}
        {toggle("form", "Form", "filter")}
        {toggle("yaml", "YAML", "file")}
        <button className="button" disabled={isBusy} onClick={onSave}>Save</button>
        <Menu label="More">
          {(close) => (
            <div className="menu-list">
              {([["Save as…", () => onDialog("save")], ["Download the YAML", onDownload], ["Register as a component…", () => onDialog("component")], ["Schedule…", () => onDialog("schedule")], ["Publish to a batch endpoint…", () => onDialog("endpoint")], ["Align in a row", () => onAlign("row")], ["Align in a column", () => onAlign("column")]] as const).map(([label, run]) => <button key={label} className="menu-item" onClick={() => { close(); run(); }}>{label}</button>)}
            </div>
          )}
        </Menu>
        <button className="button primary" disabled={isBusy || store.source.isBroken} onClick={onSubmit}><Icon name="play" size={13} />Submit</button>
      </div>
    </header>
  );
}

/** Whether the command line would take the text. */
function CheckState({ store }: { store: DesignerStore }) {
  const count = store.problemCount;
  const show = () => (store.problems.length ? store.select([]) : tellError(new Error(describeRefusal(store.refused[0]))));
  if (count) return <button className="badge look-failed draw-state" onClick={show}><Icon name="alert" size={13} />{count === 1 ? "1 problem" : `${count} problems`}</button>;
  if (store.isBeginning) return <span className="badge look-waiting">add a step</span>;
  if (store.isChecking) return <span className="badge look-waiting">checking</span>;
  return <span className="badge look-completed"><Icon name="check" size={13} />valid</span>;
}
