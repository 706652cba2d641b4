/** What an MLflow model says of itself. */
export interface MlModel {
  flavors: Record<string, Record<string, unknown>>;
  signature: { inputs: unknown; outputs: unknown; params: unknown } | null;
  example: string | null;
  run: string | null;
  mlflow_version: string | null;
}

export interface SchemaField {
  name: string;
  type: string;
  isRequired: boolean;
  default: string;
}

interface RawField {
  name?: string;
  type?: string;
  dtype?: string;
  required?: boolean;
  optional?: boolean;
  default?: unknown;
  shape?: number[] | null;
  "tensor-spec"?: { dtype: string; shape: number[] };
  items?: RawField;
  properties?: Record<string, RawField>;
}

/** The fields of one of MLflow's schemas: columns, tensors or parameters. */
export function listFields(schema: unknown): SchemaField[] {
  if (!Array.isArray(schema)) return [];
  return (schema as RawField[]).map((field, k) => ({
    name: field.name ?? (schema.length === 1 ? "" : String(k)),
    type: nameType(field),
    isRequired: field.required !== false && field.optional !== true && field.default === undefined,
    default: field.default === undefined || field.default === null ? "" : JSON.stringify(field.default),
  }));
}

function nameType(field: RawField): string {
  const tensor = field["tensor-spec"];
  if (tensor) return `${tensor.dtype} tensor (${tensor.shape.join(", ")})`;
  if (field.type === "array" && field.items) return `array of ${nameType(field.items)}`;
  if (field.type === "object" && field.properties) return `object of ${Object.keys(field.properties).join(", ")}`;
  return field.type ?? field.dtype ?? "";
}

const SAMPLES: Record<string, unknown> = { string: "text", boolean: true, datetime: "2026-01-31T00:00:00", binary: "" };

/** A request that a model with these inputs understands, with a value of each type. */
export function buildSampleRequest(inputs: unknown): string {
  const fields = Array.isArray(inputs) ? (inputs as RawField[]) : [];
  const tensor = fields[0]?.["tensor-spec"];
  if (tensor) return JSON.stringify({ input_data: fill(tensor.shape.map((size) => (size < 0 ? 1 : size))) }, null, 2);
  if (!fields.length) return JSON.stringify({ input_data: [] }, null, 2);
  const row = fields.map((field) => SAMPLES[field.type ?? ""] ?? 0);
  const columns = fields.map((field, k) => field.name ?? k);
  return JSON.stringify({ input_data: { columns, index: [0], data: [row] } }, null, 2);
}

const MOST_VALUES = 4096;

function fill(shape: number[]): unknown {
  if (shape.reduce((product, size) => product * size, 1) > MOST_VALUES) return [];
  const [size, ...rest] = shape;
  return size === undefined ? 0 : Array.from({ length: size }, () => fill(rest));
}
