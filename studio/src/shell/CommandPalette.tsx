import { useEffect, useLayoutEffect, useMemo, useRef, useState, type KeyboardEvent } from "react";
import type { JobRow } from "../api/types";
import { chooseCommands, listCommands, type Command } from "./commands";
import { useStudio } from "./context";
import { Icon } from "./icons";
import { PAGES } from "./pages";
import { buildPath, go } from "./router";
import { StateIcon } from "./StateBadge";
import { setTheme } from "./theme";

const OPEN = "studio:palette";
const PAUSE = 80;
type Entry = Command & { job?: JobRow };

export const openPalette = () => window.dispatchEvent(new Event(OPEN));

/** Finds jobs and commands by typing; opened by Ctrl K, Cmd K or /. */
export function CommandPalette() {
  const { api, session } = useStudio();
  const dialog = useRef<HTMLDialogElement>(null);
  const [text, setText] = useState("");
  const [chosen, setChosen] = useState(0);
  const [jobs, setJobs] = useState<JobRow[]>([]);
  const [isOpen, setOpen] = useState(false);
  const folder = api.workspace.folder;

  useLayoutEffect(() => { // before the page is seen, so that no key is lost
    function open() {
      setText("");
      setChosen(0);
      setOpen(true);
      dialog.current?.showModal();
    }
    function press(event: globalThis.KeyboardEvent) {
      const isTyping = event.target instanceof Element && event.target.closest("input, textarea, select, [contenteditable]");
      const isShortcut = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k";
      if (!isShortcut && !(event.key === "/" && !isTyping)) return;
      event.preventDefault();
      open();
    }
    window.addEventListener(OPEN, open);
    window.addEventListener("keydown", press);
    return () => {
      window.removeEventListener(OPEN, open);
      window.removeEventListener("keydown", press);
    };
  }, []);

  useEffect(() => {
    if (!isOpen) return;
    const stop = new AbortController();
    const timer = setTimeout(() => {
      api.listJobs(new URLSearchParams({ search: text, limit: "8", view: "all" }), stop.signal).then((page) => setJobs(page.jobs), () => {});
    }, PAUSE);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [api, text, isOpen]);

  const entries = useMemo<Entry[]>(() => {
    const commands: Command[] = [
      ...listCommands(),
      ...PAGES.filter((page) => page.label ?? page.command).map((page) => ({ name: page.command ?? `Open ${page.label}`, what: "page", run: () => go(buildPath(folder, page.path)) })),
      ...session.workspaces.filter((one) => one.folder !== folder).map((one) => ({ name: `Open workspace ${one.name}`, what: "workspace", run: () => go(buildPath(one.folder, "jobs")) })),
      ...(["light", "dark", "system"] as const).map((theme) => ({ name: `Colours: ${theme}`, what: "setting", run: () => setTheme(theme) })),
    ];
    const words = text.toLowerCase().split(/\s+/).filter(Boolean); // the jobs may be those of the text before
    const matching = jobs.filter((job) => words.every((word) => `${job.name} ${job.display_name ?? ""} ${job.experiment}`.toLowerCase().includes(word)));
    const found = matching.map((job) => ({ name: job.display_name ?? job.name, what: job.display_name ? `${job.name} · ${job.experiment}` : job.experiment, job, run: () => go(buildPath(folder, "jobs", job.name)) }));
    return text ? [...found, ...chooseCommands(commands, text)] : [...commands, ...found];
  }, [jobs, text, folder, session, isOpen]);

  function run(entry: Entry | undefined) {
    dialog.current?.close();
    entry?.run();
  }
  function press(event: KeyboardEvent) {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      setChosen((before) => (before + step + entries.length) % Math.max(1, entries.length));
    } else if (event.key === "Enter") {
      event.preventDefault();
      run(entries[chosen]);
    }
  }

  return (
    <dialog ref={dialog} className="palette" aria-label="Find a job or command" onClose={() => setOpen(false)} onClick={(event) => event.target === dialog.current && dialog.current?.close()}>
      <div className="search">
        <Icon name="search" />
        <input
          value={text} onChange={(event) => { setText(event.target.value); setChosen(0); }} onKeyDown={press} placeholder="Find a job or command"
          aria-label="Find a job or command" role="combobox" aria-expanded="true" aria-controls="palette-list" aria-activedescendant={`palette-${chosen}`}
        />
      </div>
      {entries.length ? (
        <ul id="palette-list" role="listbox" aria-label="Jobs and commands">
          {entries.map((entry, k) => (
            <li key={entry.job?.name ?? entry.name} id={`palette-${k}`} role="option" aria-selected={k === chosen} onMouseMove={() => setChosen(k)} onClick={() => run(entry)}>
              {entry.job ? <StateIcon state={entry.job.status} /> : <Icon name="right" />}
              <span className="name">{entry.name}</span>
              <span className="what">{entry.what}</span>
            </li>
          ))}
        </ul>
      ) : (
        <p>Nothing is called so.</p>
      )}
    </dialog>
  );
}
