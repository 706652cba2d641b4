import { setDiagnostics, type Diagnostic } from "@codemirror/lint";
import { EditorView } from "@codemirror/view";
import { useEffect, useRef } from "react";
import { findPlace, formatProblem } from "./pipeline/problems";
import type { DesignerStore } from "./store";
import { lineEnd } from "./yaml/source";

/** The text of the document, in which the problems stand at their lines. */
export function YamlEditor({ store, version }: { store: DesignerStore; version: number }) {
  const own = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // In a shadow root the editor's styles are sheets that the page's policy permits; in the page they would be inline.
    const root = own.current!.shadowRoot ?? own.current!.attachShadow({ mode: "open" });
    const view = new EditorView({ state: store.state, root, parent: root, dispatchTransactions: store.apply });
    store.view = view;
    return () => {
      store.view = null;
      view.destroy();
    };
  }, [store]);
  const shown = useRef<unknown>(null);
  useEffect(() => {
    if (!store.view || shown.current === store.problems) return;
    shown.current = store.problems;
    const text = store.text;
    const mark = (severity: Diagnostic["severity"]) => (problem: (typeof store.problems)[number]): Diagnostic[] => {
      const from = problem.file === store.fileName ? findPlace(text, problem) : null;
      return from === null ? [] : [{ from, to: Math.max(from, lineEnd(text, from)), severity, message: formatProblem(problem) }];
    };
    store.dispatch(setDiagnostics(store.state, [...store.problems.flatMap(mark("error")), ...store.warnings.flatMap(mark("warning"))]));
  }, [store, version]);
  return <div ref={own} className="yaml-editor" />;
}

/** Show a step's lines in the editor. */
export function revealText(store: DesignerStore, at: number): void {
  store.view?.dispatch({ selection: { anchor: at }, effects: EditorView.scrollIntoView(at, { y: "center" }) });
}
