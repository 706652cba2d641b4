import { useEffect, useId, useLayoutEffect, useRef, useState, type ReactNode } from "react";
import { Icon } from "../shell/icons";
import "./menu.css";

/** A button that opens a small panel below itself; Escape, or a click elsewhere, closes it. */
export function Menu({ label, count = 0, children }: { label: string; count?: number; children: (close: () => void) => ReactNode }) {
  const [isOpen, setOpen] = useState(false);
  const own = useRef<HTMLDivElement>(null);
  const panel = useRef<HTMLDivElement>(null);
  const id = useId();
  useLayoutEffect(() => {
    if (!isOpen) return;
    const observer = new ResizeObserver(() => keepInWindow(panel.current!)); // what it shows may come later
    observer.observe(panel.current!);
    keepInWindow(panel.current!);
    return () => observer.disconnect();
  }, [isOpen]);
  useEffect(() => {
    if (!isOpen) return;
    function leave(event: Event) {
      if (!own.current?.contains(event.target as Node)) setOpen(false);
    }
    document.addEventListener("pointerdown", leave);
    document.addEventListener("focusin", leave);
    return () => {
      document.removeEventListener("pointerdown", leave);
      document.removeEventListener("focusin", leave);
    };
  }, [isOpen]);
  function press(event: React.KeyboardEvent) {
    if (event.key !== "Escape" || !isOpen) return;
    event.stopPropagation(); // it closes nothing else
    setOpen(false);
    own.current?.querySelector("button")?.focus();
  }
  return (
    <div className="menu" ref={own} onKeyDown={press}>
      <button className="button" aria-expanded={isOpen} aria-controls={id} onClick={() => setOpen(!isOpen)}>
        {label}
        {count > 0 && <span className="count">{count}</span>}
        <Icon name="down" size={14} />
      </button>
      {isOpen && <div ref={panel} className="menu-panel" id={id}>{children(() => setOpen(false))}</div>}
    </div>
  );
}

const EDGE = 8;

/** Move a panel sideways, so that it is within the window. */
function keepInWindow(panel: HTMLElement): void {
  panel.style.translate = "";
  const { left, right } = panel.getBoundingClientRect();
  const by = left < EDGE ? EDGE - left : Math.min(0, document.documentElement.clientWidth - EDGE - right);
  if (by) panel.style.translate = `${by}px`;
}
