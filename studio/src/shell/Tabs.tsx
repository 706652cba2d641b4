import type { KeyboardEvent, ReactNode } from "react";

export interface TabItem {
  key: string;
  name: string;
}

interface Props {
  label: string;
  tabs: TabItem[];
  chosen: string;
  onChoose: (key: string) => void;
  children: ReactNode;
}

/** Tabs with the content of the chosen one; the arrow keys go from one to the next. */
export function Tabs({ label, tabs, chosen, onChoose, children }: Props) {
  function press(event: KeyboardEvent) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = tabs[(tabs.findIndex((one) => one.key === chosen) + step + tabs.length) % tabs.length];
    onChoose(next.key);
    document.getElementById(`tab-${next.key}`)?.focus();
  }
  return (
    <>
      <div className="tabs" role="tablist" aria-label={label} onKeyDown={press}>
        {tabs.map(({ key, name }) => (
          <button key={key} id={`tab-${key}`} role="tab" aria-selected={key === chosen} aria-controls="tab-content" tabIndex={key === chosen ? 0 : -1} onClick={() => onChoose(key)}>{name}</button>
        ))}
      </div>
      <div className="tab-content" id="tab-content" role="tabpanel" aria-labelledby={`tab-${chosen}`} key={chosen} tabIndex={0}>{children}</div>
    </>
  );
}
