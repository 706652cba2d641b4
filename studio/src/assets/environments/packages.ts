/** The name of a package and its version, or where it came from. */
export function splitPackage(text: string): [name: string, version: string] {
  const at = text.search(/==| @ /);
  if (at < 0) return [text, ""];
  return [text.slice(0, at), text.slice(at).replace(/^==| @ /, "")];
}
