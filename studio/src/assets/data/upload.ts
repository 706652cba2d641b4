import type { UploadFile } from "../../api/uploads";

/** What somebody chose to upload. */
export interface Chosen {
  /** The name of the file, or of the folder. */
  name: string;
  files: UploadFile[];
  size: number;
  /** What it can be registered as, the likeliest first. */
  types: string[];
}

/** What was chosen, with paths below the folder that is uploaded; null if there is no file. */
export function describeChoice(given: readonly File[]): Chosen | null {
  if (!given.length) return null;
  const [folder] = given[0].webkitRelativePath.split("/");
  const isFile = given.length === 1 && !folder;
  const files = given.map((file) => ({ file, path: isFile ? "" : folder ? file.webkitRelativePath.slice(folder.length + 1) : file.name }));
  const isTable = files.some(({ path }) => path === "MLTable");
  return {
    name: isFile ? given[0].name : folder || "files",
    files,
    size: given.reduce((sum, { size }) => sum + size, 0),
    types: isFile ? ["uri_file", "uri_folder"] : isTable ? ["mltable", "uri_folder"] : ["uri_folder"],
  };
}

/** A name for an asset, made of that of a file or folder. */
export const suggestName = (name: string): string => name.replace(/\.[^.]*$/, "").replace(/[^A-Za-z0-9_.-]+/g, "_").replace(/^[.-]+/, "").slice(0, 255);

/** The place of an upload: one of its own, as only a program that reads all files first can name it by their content. */
export function makeTarget({ name, files }: Chosen, type: string): string {
  const id = [...crypto.getRandomValues(new Uint8Array(16))].map((one) => one.toString(16).padStart(2, "0")).join("");
  const isInFolder = files[0].path === "" && type === "uri_folder";
  return `LocalUpload/${id}/${isInFolder ? "files" : name}`;
}

/** The files as they are sent: one that is to be a folder's is put into it. */
export const placeFiles = ({ files }: Chosen, type: string): UploadFile[] => (type === "uri_folder" ? files.map(({ path, file }) => ({ path: path || file.name, file })) : files);
