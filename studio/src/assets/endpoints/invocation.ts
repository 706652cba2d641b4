import type { ComponentPort } from "../components/ports";

const DATA_TYPES = new Set(["uri_file", "uri_folder", "mltable", "mlflow_model", "custom_model", "triton_model"]);

export const isData = (port: ComponentPort): boolean => DATA_TYPES.has(port.type);

/** The body of an invocation with these values; inputs without a value keep the deployment's. */
export function buildInvocation(ports: ComponentPort[], values: Record<string, string>): { properties: { inputData: Record<string, object> } } {
  const inputData: Record<string, object> = {};
  for (const port of ports) {
    const value = values[port.name]?.trim();
    if (!value) continue;
    inputData[port.name] = isData(port) ? { jobInputType: port.type, uri: value } : { jobInputType: "literal", value };
  }
  return { properties: { inputData } };
}

/** The inputs that need a value and have none. */
export function listMissing(ports: ComponentPort[], values: Record<string, string>): string[] {
  return ports.filter((port) => !port.isOptional && port.default === "" && !values[port.name]?.trim()).map((port) => port.name);
}
