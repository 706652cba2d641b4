export interface OnlineEndpoint {
  description?: string | null;
  authMode?: string;
  traffic?: Record<string, number>;
  mirrorTraffic?: Record<string, number>;
  scoringUri: string;
  swaggerUri?: string;
  provisioningState?: string;
}

export interface BatchEndpoint {
  description?: string | null;
  defaults?: { deploymentName?: string | null };
  scoringUri: string;
}

export interface OnlineDeployment {
  description?: string | null;
  provisioningState?: string;
  model?: string;
  environmentId?: string;
  codeConfiguration?: { codeId?: string; scoringScript?: string } | null;
  scaleSettings?: { scaleType?: string };
  instanceType?: string;
  [key: string]: unknown;
}

export interface BatchDeployment {
  description?: string | null;
  model?: { assetId?: string; path?: string } | null;
  deploymentConfiguration?: { componentId?: { assetId?: string } } | null;
  environmentId?: string;
  compute?: string;
  [key: string]: unknown;
}
