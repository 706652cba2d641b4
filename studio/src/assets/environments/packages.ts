/** The name of a package and its version, or where it came from; the hash of its files, which may follow, is left out. */
export function splitPackage(given: string): [name: string, version: string] {
  const text = given.replace(/ #[0-9a-f]+$/, "");
  const at = text.search(/==| @ /);
  if (at < 0) return [text, ""];
  return [text.slice(0, at), text.slice(at).replace(/^==| @ /, "")];
}
