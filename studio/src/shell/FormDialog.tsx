import { useEffect, useId, useRef, useState, type FormEvent, type ReactNode } from "react";
import { ErrorMessage } from "./messages";

interface Props {
  title: string;
  /** What the button says that sends the form. */
  action: string;
  /** Do it, and return what is done once the dialog is closed, such as to open the page of what was made. */
  onSubmit: () => Promise<() => void>;
  onClose: () => void;
  /** Stop what the form has sent, where that can be; "Cancel" does it meanwhile. */
  onStop?: () => void;
  /** An error of what the form shows. */
  error?: Error | null;
  children: ReactNode;
}

/** A form over the page. While its request runs it stays open, and its error is told in it. */
export function FormDialog({ title, action, onSubmit, onClose, onStop, error: given = null, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  const [error, setError] = useState<Error | null>(null);
  const [isBusy, setBusy] = useState(false);
  useEffect(() => {
    const own = dialog.current!;
    own.showModal();
    (own.querySelector<HTMLElement>("input, select, textarea") ?? own.querySelector<HTMLElement>(".primary"))?.focus();
  }, []);
  useEffect(() => {
    if (!isBusy) return;
    // Of the page, not of the dialog: the button that had the focus is disabled, so keys go to the page.
    const stay = (event: KeyboardEvent) => event.key === "Escape" && event.preventDefault();
    addEventListener("keydown", stay, true);
    return () => removeEventListener("keydown", stay, true);
  }, [isBusy]);

  async function submit(event: FormEvent) {
    event.preventDefault();
    if (isBusy) return;
    setBusy(true);
    setError(null);
    try {
      const finish = await onSubmit();
      if (!dialog.current?.open) return;
      dialog.current.close(); // gives the focus back to what opened it, and calls onClose
      finish();
    } catch (caught) {
      setError(caught as Error);
      setBusy(false);
    }
  }
  const shown = error ?? given;
  return (
    <dialog ref={dialog} className="dialog" aria-labelledby={titleId} onClose={onClose} onCancel={(event) => isBusy && event.preventDefault()}>
      <form onSubmit={submit}>
        <h2 id={titleId}>{title}</h2>
        {children}
        {shown && <ErrorMessage error={shown} />}
        <div className="dialog-actions">
          <button type="button" className="button" disabled={isBusy && !onStop} onClick={() => (isBusy ? onStop?.() : dialog.current?.close())}>Cancel</button>
          <button className="button primary" disabled={isBusy}>{action}</button>
        </div>
      </form>
    </dialog>
  );
}
