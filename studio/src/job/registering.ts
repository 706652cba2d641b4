/** What an output of each type can be registered as, the likeliest first; nothing for a value. */
const TYPES: Record<string, string[]> = {
  uri_folder: ["uri_folder", "mltable", "mlflow_model", "custom_model"],
  uri_file: ["uri_file", "custom_model"],
  mltable: ["mltable"],
  mlflow_model: ["mlflow_model", "custom_model"],
  custom_model: ["custom_model", "mlflow_model"],
  triton_model: ["triton_model"],
};

export const listRegistrable = (type: string): string[] => TYPES[type] ?? [];
