/** A command of the palette. */
export interface Command {
  name: string;
  what: string;
  run: () => void;
}

const providers = new Set<() => Command[]>();

/** Offer a page's commands in the palette, until the returned function is called. */
export function offerCommands(list: () => Command[]): () => void {
  providers.add(list);
  return () => providers.delete(list);
}

export function listCommands(): Command[] {
  return [...providers].flatMap((list) => list());
}

/** The commands whose names have all words of the text, the shorter names first. */
export function chooseCommands(commands: Command[], text: string): Command[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const found = commands.filter((one) => words.every((word) => one.name.toLowerCase().includes(word)));
  return words.length ? found.sort((a, b) => a.name.length - b.name.length) : found;
}
