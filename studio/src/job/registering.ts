/** What an output of each type can be registered as, the likeliest first; nothing for a value. */
const TYPES: Record<string, string[]> = {
  uri_folder: ["uri_folder", "mltable", "mlflow_model", "custom_model"],
  uri_file: ["uri_file", "custom_model"],
  mltable: ["mltable"],
  mlflow_model: ["mlflow_model", "custom_model"],
  custom_model: ["custom_model", "mlflow_model"],
  triton_model: ["triton_model"],
};

/** The file at the top of a folder that makes it more than a folder. */
const MARKS: Record<string, string> = { MLmodel: "mlflow_model", MLTable: "mltable" };
const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}$/;

export const listRegistrable = (type: string): string[] => TYPES[type] ?? [];

/** The same types, with the one first that the files at the top of the output show it to be. */
export function putFittingFirst(types: string[], files: string[]): string[] {
  const mark = files.find((file) => Object.hasOwn(MARKS, file) && types.includes(MARKS[file]));
  return mark ? [MARKS[mark], ...types.filter((type) => type !== MARKS[mark])] : types;
}

/** Why a text cannot be the name of an asset; null if it can. */
export function explainName(name: string): string | null {
  return NAME.test(name) ? null : `'${name}' cannot be the name of an asset; use letters, digits, '-', '_' and '.', and begin with a letter, a digit or '_'`;
}
