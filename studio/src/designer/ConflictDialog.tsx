import { useEffect, useRef, useState } from "react";
import { ErrorMessage } from "../shell/messages";
import type { OpenedDocument } from "./store";

export interface Conflict {
  /** The server's sentence. */
  sentence: string;
  /** The document as it is saved now; null if it was removed. */
  there: OpenedDocument | null;
}

interface Props {
  conflict: Conflict;
  onReload: (there: OpenedDocument) => void;
  onOverwrite: () => Promise<void>;
  onSaveAs: () => void;
  onClose: () => void;
}

/** Asks what is to become of a document that was changed elsewhere since it was opened. */
export function ConflictDialog({ conflict: { sentence, there }, onReload, onOverwrite, onSaveAs, onClose }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [error, setError] = useState<Error | null>(null);
  useEffect(() => dialog.current?.showModal(), []);
  const what = there?.origin.kind === "draft" ? "draft" : "file";
  return (
    <dialog ref={dialog} className="dialog conflict" aria-labelledby="conflict-title" aria-describedby="conflict-words" onClose={onClose}>
      <h2 id="conflict-title">{there ? `The ${what} was changed elsewhere` : "It was removed elsewhere"}</h2>
      <p id="conflict-words">{sentence}. {there ? "After a reload, Undo brings your text back." : "Your text is still here."}</p>
      {error && <ErrorMessage error={error} />}
      <div className="dialog-actions">
        <button className="button" onClick={() => dialog.current?.close()}>Cancel</button>
        {there && <button className="button" onClick={() => onReload(there)}>Reload the {what}</button>}
        <button className="button" onClick={() => onOverwrite().catch(setError)}>{there ? "Save mine over it" : "Save it again"}</button>
        <button className="button primary" onClick={onSaveAs}>Save as…</button>
      </div>
    </dialog>
  );
}
