import { ReactFlowProvider } from "@xyflow/react";
import { useCallback, useEffect, useRef, useState, useSyncExternalStore } from "react";
import { ApiError } from "../api/client";
import { createName } from "../job/names";
import { useApi } from "../shell/context";
import { offerCommands } from "../shell/commands";
import { Icon } from "../shell/icons";
import { buildPath, go } from "../shell/router";
import { dismissError, tell, tellError } from "../shell/toasts";
import { Canvas } from "./Canvas";
import { ConflictDialog, type Conflict } from "./ConflictDialog";
import { RefusalContext } from "./fields";
import { folderOf, openAgain, type SavedOrigin } from "./documents";
import { addStep, type NewStep } from "./pipeline/changes";
import { nameDataInput, setDataInput, type DataItem } from "./pipeline/data";
import { inputId, stepId, type Step } from "./pipeline/drawing";
import { keepPositions } from "./memory";
import { joinWords } from "./pipeline/values";
import { makeSteps, type PaletteItem } from "./palette";
import { PalettePanel } from "./PalettePanel";
import { PipelineForm } from "./PipelineForm";
import { alignNodes, placeNodes } from "./pipeline/placement";
import { explainAddition, findStep } from "./pipeline/rules";
import { explainConversion, convertStep, CONVERSIONS, type Conversion } from "./pipeline/conversion";
import { PublishDialog } from "./PublishDialog";
import { SaveDialog } from "./SaveDialog";
import { StepForm } from "./StepForm";
import type { Positions } from "./routes";
import { describeRefusal, type DesignerStore, type Origin } from "./store";
import { Toolbar } from "./Toolbar";
import { revealText, YamlEditor } from "./YamlEditor";
import { encodeFile } from "./yaml/encoding";
import { lineStart } from "./yaml/source";

export type Panels = { palette: boolean; form: boolean; yaml: boolean };
export type DialogKind = "save" | "component" | "schedule" | "endpoint" | null;

interface Props {
  store: DesignerStore;
  onLeave: (store: DesignerStore) => void;
  /** The document is at another address now. */
  onMoved: (to: string) => void;
}

/** A pipeline as drawing, forms and YAML, each of which edits the one text. */
export function Designer({ store, onLeave, onMoved }: Props) {
  const api = useApi();
  const version = useSyncExternalStore(store.subscribe, store.getVersion);
  const drawn = store.getDrawnVersion();
  const [panels, setPanels] = usePanels();
  const [dialog, setDialog] = useState<DialogKind>(null);
  const [conflict, setConflict] = useState<Conflict | null>(null);
  const [isBusy, setBusy] = useState(false);
  const saving = useRef<Promise<void>>(Promise.resolve());
  const page = buildPath(api.workspace.folder, "designer");
  const chosen = store.selected.size === 1 ? findStep(store.drawing, [...store.selected][0]) : undefined;

  useEffect(() => {
    const warn = (event: BeforeUnloadEvent) => {
      (document.activeElement as HTMLElement | null)?.blur(); // a field's text is taken when it is left
      if (store.isChanged || store.refused.length) event.preventDefault();
    };
    window.addEventListener("beforeunload", warn);
    store.onShared = (names) => tell(`${joinWords(names, "and")} changed as well: ${names.length > 1 ? "they have" : "it has"} the same lines, by '*' or '<<'; Undo takes it back`);
    store.resume();
    return () => {
      window.removeEventListener("beforeunload", warn);
      store.close();
      onLeave(store);
    };
  }, [store]);
  useEffect(() => {
    if (store.origin.kind === "file") keepPositions(api.workspace.folder, store.origin.path, store.positions);
  }, [store, store.positions]);
  useEffect(() => {
    if (!chosen) return;
    const range = store.source.findRange(chosen.path);
    if (range && !store.view?.hasFocus) revealText(store, lineStart(store.text, range[0]));
  }, [store, chosen?.name]);

  const attempt = useCallback(async (work: () => Promise<void>) => {
    setBusy(true);
    try {
      await work();
    } catch (error) {
      tellError(error);
    } finally {
      setBusy(false);
    }
  }, []);

  const saveTo = useCallback(async (origin: Origin) => {
    const { text } = store; // what is typed until the answer comes is not saved
    if (origin.kind === "file") {
      const etag = await store.routes.writeFile(origin.path, store.fileText, origin.etag || null);
      store.markSaved(text, { ...origin, etag }, folderOf(origin.path));
      keepPositions(api.workspace.folder, origin.path, store.positions);
    } else if (origin.kind === "draft") {
      const etag = await store.routes.writeDraft(origin.name, { text: store.joinedText, folder: store.folder, positions: store.positions }, origin.etag || null);
      store.markSaved(text, { ...origin, etag }, store.folder);
    }
    tell(origin.kind === "file" ? `saved ${origin.path}` : origin.kind === "draft" ? `saved the draft '${origin.name}'` : "saved");
  }, [store, api]);

  /** Save where the document is from, or ask what is to be done if it was changed there. */
  const saveBack = useCallback(async (origin: SavedOrigin) => {
    try {
      await saveTo(origin);
      setConflict(null);
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 409)) throw error;
      setConflict({ sentence: error.message, there: await openAgain(store.routes, origin) });
    }
  }, [store, saveTo]);

  /** One save after another: each names the version that the one before it wrote. */
  const enqueue = useCallback((work: () => Promise<void>) => {
    const saved = saving.current.then(work);
    saving.current = saved.catch(() => {});
    return saved;
  }, []);

  const save = useCallback(() => {
    const { origin } = store;
    try {
      refuseUntaken(store);
    } catch (error) {
      return tellError(error);
    }
    if (origin.kind !== "file" && origin.kind !== "draft") return setDialog("save");
    void enqueue(() => attempt(() => saveBack(store.origin as SavedOrigin)));
  }, [store, attempt, saveBack, enqueue]);

  /** Stop what would run another pipeline than the one that the forms show. */
  const checkForms = useCallback(() => {
    (document.activeElement as HTMLElement | null)?.blur(); // a field's text is taken when it is left
    refuseUntaken(store);
  }, [store]);

  const openDialog = useCallback((kind: DialogKind) => {
    try {
      checkForms();
      setDialog(kind);
    } catch (error) {
      tellError(error);
    }
  }, [checkForms]);

  const submit = useCallback(() => attempt(async () => {
    checkForms();
    const made = await store.routes.submit<{ name: string }>("job", { text: store.text, folder: store.folder, file: store.fileName }, { name: createName() });
    dismissError();
    go(buildPath(api.workspace.folder, "jobs", made.name));
  }), [store, attempt, api, checkForms]);

  const add = useCallback((item: PaletteItem, at: [number, number] | null, onto?: Step) => {
    const conversion = item.starter && item.starter in CONVERSIONS ? (item.starter as Conversion) : null;
    const why = onto && conversion ? explainConversion(store.drawing, onto, conversion) : explainAddition(store.drawing, item.component ?? "", item.spec);
    if (why) return tellError(why);
    if (item.component && item.spec) store.interfaces = { ...store.interfaces, [item.component]: item.spec };
    try {
      if (onto && conversion) {
        let next = onto.name;
        store.edit((changes) => (next = convertStep(changes, store.drawing, onto, conversion)));
        store.select([stepId(next)]);
      } else {
        const steps = makeSteps(item, new Set(store.drawing.steps.map(({ name }) => name)));
        store.edit((changes) => steps.forEach((step) => addStep(changes, store.drawing.base, step)), at && (steps.length === 1 || Object.keys(store.positions).length) ? { ...store.positions, ...placeBelow(steps, at) } : undefined);
        store.select([stepId(steps[0].name)]);
      }
    } catch (error) {
      tellError(error);
    }
  }, [store]);

  const addData = useCallback((item: DataItem, at: [number, number] | null) => {
    try {
      const name = nameDataInput(store.drawing, item);
      store.edit((changes) => setDataInput(changes, store.drawing, name, item), at ? { ...store.positions, [inputId(name)]: at } : undefined);
      store.select([inputId(name)]);
    } catch (error) {
      tellError(error);
    }
  }, [store]);

  const download = useCallback(() => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([encodeFile(store.fileText)], { type: "application/yaml" }));
    link.download = store.fileName;
    link.click();
    URL.revokeObjectURL(link.href);
  }, [store]);
  const arrange = useCallback(() => store.movePositions({}), [store]);
  const align = useCallback((way: "row" | "column") => {
    if (store.selected.size < 2) tellError(new Error("choose two nodes or more to align: Ctrl and a click, or Shift and drag"));
    else store.movePositions(alignNodes(placeNodes(store.drawing, store.positions), store.selected, way));
  }, [store]);

  useEffect(() => offerCommands(() => [
    { name: "Save the pipeline", what: "designer", run: save },
    { name: "Save the pipeline as…", what: "designer", run: () => openDialog("save") },
    { name: "Register the pipeline as a component…", what: "designer", run: () => openDialog("component") },
    { name: "Schedule the pipeline…", what: "designer", run: () => openDialog("schedule") },
    { name: "Publish the pipeline to a batch endpoint…", what: "designer", run: () => openDialog("endpoint") },
    { name: "Submit the pipeline", what: "designer", run: () => void submit() },
    { name: "Download the YAML", what: "designer", run: download },
    { name: "Arrange the drawing", what: "designer", run: arrange },
    { name: "Align the chosen nodes in a row", what: "designer", run: () => align("row") },
    { name: "Align the chosen nodes in a column", what: "designer", run: () => align("column") },
    { name: "Undo", what: "designer", run: store.undo },
    { name: "Redo", what: "designer", run: store.redo },
    { name: "Show or hide the YAML", what: "designer", run: () => setPanels((before) => ({ ...before, yaml: !before.yaml })) },
    { name: "Show or hide the components", what: "designer", run: () => setPanels((before) => ({ ...before, palette: !before.palette })) },
    { name: "Show or hide the form", what: "designer", run: () => setPanels((before) => ({ ...before, form: !before.form })) },
  ]), [store, save, submit, openDialog, download, arrange, align, setPanels]);
  useEffect(() => {
    function press(event: KeyboardEvent) {
      const key = event.key.toLowerCase();
      if (!(event.ctrlKey || event.metaKey) || !"syz".includes(key) || event.defaultPrevented) return;
      if (key !== "s" && hasOwnUndo(event.target as HTMLElement)) return;
      event.preventDefault();
      if (key === "s") save();
      else if (key === "y" || event.shiftKey) store.redo();
      else store.undo();
    }
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  }, [save, store]);

  const addItem = useCallback((item: PaletteItem) => add(item, null), [add]);
  const addDataItem = useCallback((item: DataItem) => addData(item, null), [addData]);
  const openFile = useCallback((path: string) => go(`${page}?file=${encodeURIComponent(path)}`), [page]);
  const openInner = useCallback((name: string) => {
    const step = store.drawing.steps.find((one) => one.name === name);
    if (step?.inner) store.openBase(step.inner);
    else if (step?.spec?.file && step.spec.type === "pipeline") openFile(step.spec.file);
  }, [store, openFile]);
  const hasSide = panels.form || panels.yaml;
  return (
    <div className="designer">
      <Toolbar store={store} panels={panels} isBusy={isBusy} onPanels={setPanels} onSave={save} onDialog={openDialog} onDownload={download} onSubmit={() => void submit()} onArrange={arrange} onAlign={align} />
      {store.source.isBroken && (
        <p className="draw-broken" role="status"><Icon name="alert" size={14} />The YAML does not parse, so {store.hasDrawing ? "the drawing shows what it was" : "nothing is drawn"}: {store.source.doc.errors[0].message.split("\n")[0]}</p>
      )}
      <div className={`draw-body${panels.palette ? " with-palette" : ""}${hasSide ? " with-side" : ""}`}>
        {panels.palette && <PalettePanel folder={store.folder} isLocked={store.source.isBroken} onAdd={addItem} onAddData={addDataItem} />}
        <ReactFlowProvider>
          <Canvas store={store} drawn={drawn} onAdd={add} onAddData={addData} onOpenInner={openInner} />
        </ReactFlowProvider>
        {hasSide && (
          <div className="draw-side">
            {panels.form && (
              <RefusalContext value={store.getForm(chosen?.name ?? null)}>
              <div className="draw-form-panel" key={chosen ? `step ${chosen.path.join("/")}` : `pipeline ${store.base.join("/")}`}>
                {chosen ? <StepForm key={chosen.path.join("/")} store={store} drawn={drawn} step={chosen} onOpenFile={openFile} onOpenInner={openInner} /> : <PipelineForm key={store.base.join("/")} store={store} drawn={drawn} />}
              </div>
              </RefusalContext>
            )}
            {panels.yaml && <YamlEditor store={store} version={version} />}
          </div>
        )}
      </div>
      {conflict && (
        <ConflictDialog conflict={conflict} onClose={() => setConflict(null)} onReload={(there) => { setConflict(null); store.reload(there); }}
          onOverwrite={() => enqueue(() => saveBack({ ...(store.origin as SavedOrigin), etag: conflict.there ? (conflict.there.origin as SavedOrigin).etag : "" }))} onSaveAs={() => { setConflict(null); setDialog("save"); }} />
      )}
      {dialog === "save" && (
        <SaveDialog store={store} onClose={() => setDialog(null)} onSave={async (origin) => {
          await saveTo(origin);
          return () => {
            if (origin.kind === "file") onMoved(`${page}?file=${encodeURIComponent(origin.path)}`);
            if (origin.kind === "draft") onMoved(`${page}?draft=${encodeURIComponent(origin.name)}`);
          };
        }} />
      )}
      {dialog && dialog !== "save" && <PublishDialog key={dialog} store={store} kind={dialog} onClose={() => setDialog(null)} />}
    </div>
  );
}

/** Refuse to save or run another pipeline than the one that the forms show, and go to the first text that could not be taken. */
function refuseUntaken(store: DesignerStore): void {
  const [first, ...others] = store.refused;
  if (!first) return;
  if (first.base.join("\n") !== store.base.join("\n")) store.openBase(first.base);
  store.select(first.step === null ? [] : [stepId(first.step)]);
  const more = others.length ? ` (and ${others.length} more)` : "";
  throw new Error(`the pipeline is not what its form shows: ${describeRefusal(first)}${more}; correct the text, or take the old one back by Escape`);
}

const BESIDE = 268;
const BELOW = 130;

/** The places of new steps: the first where it was dropped, the others in a row below it. */
function placeBelow([first, ...others]: NewStep[], [x, y]: [number, number]): Positions {
  const row = others.map(({ name }, k): [string, [number, number]] => [stepId(name), [x + Math.round((k - (others.length - 1) / 2) * BESIDE), y + BELOW]]);
  return Object.fromEntries([[stepId(first.name), [x, y]], ...row]);
}

/** True where Ctrl Z is about a text that is being typed: not of a form's field that is unchanged, in which it would part the field from the text. */
function hasOwnUndo(target: HTMLElement): boolean {
  if (target.closest("dialog, [role=dialog]")) return true;
  return target.matches("input, textarea, [contenteditable=true]") && target.dataset.taken !== "true";
}

const PANELS = "smalt.designer.panels";

/** The parts that are shown; remembered by this browser. */
function usePanels(): [Panels, (change: (before: Panels) => Panels) => void] {
  const [panels, setPanels] = useState<Panels>(() => {
    const usual = { palette: innerWidth > 900, form: true, yaml: innerWidth > 900 };
    try {
      return { ...usual, ...(JSON.parse(localStorage.getItem(PANELS) ?? "{}") as Partial<Panels>) };
    } catch {
      return usual;
    }
  });
  const change = useCallback((make: (before: Panels) => Panels) => setPanels((before) => {
    const after = make(before);
    localStorage.setItem(PANELS, JSON.stringify(after));
    return after;
  }), []);
  return [panels, change];
}
