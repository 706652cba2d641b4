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

const MODELS = new Set(["mlflow_model", "custom_model", "triton_model"]);
/** The types of data of which no program can read what is of the type named first. */
const UNREADABLE: Record<string, Set<string>> = {
  mltable: MODELS,
  mlflow_model: new Set(["mltable", "uri_file", "triton_model"]),
  triton_model: new Set(["mltable", "uri_file", "mlflow_model"]),
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
