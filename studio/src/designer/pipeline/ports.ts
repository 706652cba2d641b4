/** The types of ports, and what may be connected to what. */
export const LITERALS = ["string", "integer", "number", "boolean"] as const;
export const DATA_TYPES = ["uri_folder", "uri_file", "mltable", "mlflow_model", "custom_model", "triton_model"] as const;

/** Types that only the components of the old designer have; v1 datasets come in the last two. */
const CLASSIC_TYPES = new Set([
  "AnyDirectory", "AnyFile", "DataFrameDirectory", "DataFrameFile", "ImageDirectory", "ModelDirectory", "TransformationDirectory", "UntrainedModelDirectory",
  "ClusterDirectory", "ZipFile", "CsvFile",
]);
const V1_TYPES = new Set(["TabularDataset", "FileDataset", "tabular", "file"]);

/** A declared input or output of a component, as its YAML or REST body has it. */
export interface PortSpec {
  type?: string;
  optional?: boolean;
  default?: unknown;
  min?: number | string;
  max?: number | string;
  enum?: unknown[];
  description?: string;
  mode?: string;
}

export interface Interface {
  name?: string;
  version?: string;
  type?: string;
  display_name?: string;
  description?: string;
  tags?: Record<string, string>;
  inputs?: Record<string, PortSpec>;
  outputs?: Record<string, PortSpec>;
  file?: string;
  error?: string;
}

export const isLiteral = (type: string | undefined): boolean => type !== undefined && (LITERALS as readonly string[]).includes(type.toLowerCase());
export const isV1Data = (type: string | undefined): boolean => type !== undefined && V1_TYPES.has(type);

/** The types of folders that have a certain file: that file, and the type to declare instead to read a file as it is. */
const MARKERS: Record<string, { file: string; instead: string }> = {
  mltable: { file: "MLTable", instead: "uri_file" },
  mlflow_model: { file: "MLmodel", instead: "custom_model" },
};

/** How what is given to an input could be of another type. */
export const REMEDIES = {
  given: "give it such a folder with 'type: {type}'",
  pipeline: "give the pipeline such a folder with 'type: {type}'",
  step: "write such a folder and declare that output as {type}",
  component: "write such a folder and declare it as {type} in the component of '{step}'",
} as const;

/** Why a file cannot be the input of a step, in the sentence of the command line (rules/content.py); null if it can. */
export function explainFile(input: string, wanted: string | undefined, given: string | undefined, source: string, remedy: keyof typeof REMEDIES, step = ""): string | null {
  const marker = wanted === undefined ? undefined : MARKERS[wanted];
  if (!marker || given !== "uri_file") return null;
  const takes = `the step's input '${input}' takes an ${wanted}, a folder with a file '${marker.file}'`;
  const change = REMEDIES[remedy].replace("{type}", wanted!).replace("{step}", () => step);
  return `${takes}, but ${source} is a single file (uri_file); ${change}, or, to read the file as it is, declare the step's input as ${marker.instead}, in its component if it has one`;
}

const MODELS = new Set(["mlflow_model", "custom_model", "triton_model"]);
/** What the designer connects no port of the type named first with, beyond what the server refuses: nobody means to. */
const UNREADABLE: Record<string, Set<string>> = {
  mltable: MODELS,
  mlflow_model: new Set(["mltable", "triton_model"]),
  triton_model: new Set(["mltable", "mlflow_model"]),
  custom_model: new Set(["mltable"]),
};

const DESCRIPTIONS: Record<string, string> = { string: "a string", integer: "an integer", number: "a number", boolean: "a boolean (true or false)" };

const describeData = (type: string): string => `${MODELS.has(type) ? "a model" : "data"} (${type})`;

/** Why a value of one type cannot be the input of another, in the sentence of the command line; null if it can. */
export function explainMismatch(input: string, wanted: string | undefined, given: string | undefined, source: string): string | null {
  if (wanted === undefined || given === undefined || wanted === given) return null;
  const [takes, has] = [isLiteral(wanted), isLiteral(given)];
  if ((!takes && !has && !UNREADABLE[wanted]?.has(given)) || (has && wanted === "string") || (given === "integer" && wanted === "number")) return null;
  const want = takes ? DESCRIPTIONS[wanted.toLowerCase()] : describeData(wanted);
  const have = has ? DESCRIPTIONS[given.toLowerCase()] : describeData(given);
  return `the input '${input}' must be ${want}, but ${source} is ${have}`;
}

/** A note on two types of data that connect and may not be what the step reads. */
export function noteDifference(wanted: string | undefined, given: string | undefined): string | null {
  if (!wanted || !given || wanted === given || isLiteral(wanted) || isLiteral(given)) return null;
  return `${given} is given where ${wanted} is declared; it is passed on as it is`;
}

/** True for a component of the old designer, by its ports, its id or its tag. */
export function isClassic(name: string | null, spec: Interface | undefined): boolean {
  if (name?.startsWith("azureml://Module") || spec?.tags?.classic === "true") return true;
  return [...Object.values(spec?.inputs ?? {}), ...Object.values(spec?.outputs ?? {})].some((port) => CLASSIC_TYPES.has(port?.type ?? ""));
}
