export interface ComponentPort {
  name: string;
  type: string;
  isOptional: boolean;
  default: string;
  description: string;
  limits: string;
}

type Given = Record<string, unknown> | string | null | undefined;

/** The inputs or outputs of a component's specification. */
export function listPorts(given: unknown): ComponentPort[] {
  if (typeof given !== "object" || given === null) return [];
  return Object.entries(given as Record<string, Given>).map(([name, port]) => {
    const found = typeof port === "object" && port !== null ? port : { type: port };
    const limits = [
      found.min !== undefined ? `at least ${found.min}` : "",
      found.max !== undefined ? `at most ${found.max}` : "",
      Array.isArray(found.enum) ? `one of ${found.enum.join(", ")}` : "",
    ];
    return {
      name,
      type: String(found.type ?? ""),
      isOptional: found.optional === true || found.optional === "true",
      default: found.default === undefined || found.default === null ? "" : String(found.default),
      description: String(found.description ?? ""),
      limits: limits.filter(Boolean).join(", "),
    };
  });
}
