import { Icon } from "../shell/icons";
import { tell, tellError } from "../shell/toasts";

/** A text to be read and copied. */
export function CommandBlock({ title, text }: { title: string; text: string }) {
  const copy = () => navigator.clipboard.writeText(text).then(() => tell("copied"), tellError);
  return (
    <section className="block">
      <header><h3>{title}</h3><button className="button quiet icon small" aria-label={`Copy: ${title}`} onClick={copy}><Icon name="copy" size={14} /></button></header>
      <pre tabIndex={0}>{text}</pre>
    </section>
  );
}
