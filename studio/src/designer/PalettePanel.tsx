import { useMemo, useRef, useState, type KeyboardEvent } from "react";
import { useQuery } from "../api/useQuery";
import { useApi } from "../shell/context";
import { Icon } from "../shell/icons";
import { ErrorMessage } from "../shell/messages";
import { BUILT_IN, COMPONENT_DRAG, listComponents, searchItems, type PaletteItem } from "./palette";

/** Components to be dragged into the drawing, or added by Enter. */
export function PalettePanel({ folder, isLocked, onAdd }: { folder: string | null; isLocked: boolean; onAdd: (item: PaletteItem) => void }) {
  const api = useApi();
  const [text, setText] = useState("");
  const list = useRef<HTMLDivElement>(null);
  const known = useQuery(`${api.own} components ${folder}`, () => listComponents(api, folder));
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
      <input className="field" type="search" placeholder="Find a component" aria-label="Find a component" value={text} onChange={(event) => setText(event.target.value)} />
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
        {!groups.length && !known.isLoading && <p className="form-hint">No component is called so.</p>}
        {known.data?.every(({ origin }) => origin !== "workspace") && !text && <p className="form-hint">This workspace has no components of its own yet: <code>smalt component create --file component.yml</code></p>}
      </div>
    </aside>
  );
}
