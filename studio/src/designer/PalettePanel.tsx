import { memo, useMemo, useRef, useState, type KeyboardEvent } from "react";
import { useQuery } from "../api/useQuery";
import { useApi } from "../shell/context";
import { Icon } from "../shell/icons";
import { ErrorMessage } from "../shell/messages";
import { BUILT_IN, COMPONENT_DRAG, DATA_DRAG, listComponents, listData, searchItems, type PaletteItem } from "./palette";
import type { DataItem } from "./pipeline/data";

/** Components and data to be dragged into the drawing, or added by Enter. */
export const PalettePanel = memo(function PalettePanel({ folder, isLocked, onAdd, onAddData }: { folder: string | null; isLocked: boolean; onAdd: (item: PaletteItem) => void; onAddData: (item: DataItem) => void }) {
  const api = useApi();
  const [text, setText] = useState("");
  const list = useRef<HTMLDivElement>(null);
  const known = useQuery(`${api.own} components ${folder}`, () => listComponents(api, folder));
  const data = useQuery(`${api.own} palette data ${text}`, () => listData(api, text));
  const found = useMemo(() => searchItems([...BUILT_IN, ...(known.data ?? [])], text), [known.data, text]);
  const groups = useMemo(() => {
    const made = new Map<string, PaletteItem[]>();
    for (const item of found) made.set(item.group, [...(made.get(item.group) ?? []), item]);
    return [...made];
  }, [found]);
  function press(event: KeyboardEvent) {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    const buttons = [...list.current!.querySelectorAll<HTMLButtonElement>("button.palette-item")];
    const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
    event.preventDefault();
    buttons[Math.min(buttons.length - 1, Math.max(0, at + (event.key === "ArrowDown" ? 1 : -1)))]?.focus();
  }
  return (
    <aside className="draw-palette" aria-label="Components" onKeyDown={press}>
      <input className="field" type="search" placeholder="Search" aria-label="Find a component or data" value={text} onChange={(event) => setText(event.target.value)} />
      <div className="palette-list" ref={list}>
        {known.error && <ErrorMessage error={known.error} retry={known.reload} />}
        {groups.map(([group, items]) => (
          <section key={group}>
            <h3>{group}</h3>
            <ul>
              {items.map((item) => (
                <li key={item.id}>
                  <button className="palette-item" disabled={isLocked} draggable={!isLocked} title={[item.description, item.component, item.origin].filter(Boolean).join("\n")} onClick={() => onAdd(item)}
                    onDragStart={(event) => { event.dataTransfer.setData(COMPONENT_DRAG, JSON.stringify(item)); event.dataTransfer.effectAllowed = "copy"; }}>
                    <Icon name="plus" size={13} /><span>{item.title}</span>
                  </button>
                </li>
              ))}
            </ul>
          </section>
        ))}
        {data.error && <ErrorMessage error={data.error} retry={data.reload} />}
        {data.data && data.data.items.length > 0 && (
          <section>
            <h3>Data</h3>
            <ul>
              {data.data.items.map((item) => (
                <li key={item.name}>
                  <button className="palette-item" disabled={isLocked} draggable={!isLocked} title={`${item.path}\n${item.type}`} onClick={() => onAddData(item)}
                    onDragStart={(event) => { event.dataTransfer.setData(DATA_DRAG, JSON.stringify(item)); event.dataTransfer.effectAllowed = "copy"; }}>
                    <Icon name="data" size={13} /><span>{item.name}</span>
                  </button>
                </li>
              ))}
            </ul>
            {data.data.total > data.data.items.length && <p className="form-hint">{data.data.total - data.data.items.length} more: find them by name.</p>}
          </section>
        )}
        {!groups.length && !known.isLoading && data.data?.items.length === 0 && <p className="form-hint">No component and no data is called so.</p>}
        {known.data?.every(({ origin }) => origin !== "workspace") && !text && <p className="form-hint">This workspace has no components of its own yet: <code>smalt component create --file component.yml</code></p>}
      </div>
    </aside>
  );
});
