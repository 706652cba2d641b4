"""Sizes of machines: this machine, and the cloud's sizes, as programs look up how many GPUs a size has."""

from __future__ import annotations

import os
from typing import Any

from smalt.service.api.request import ApiRequest

_COMPUTES = ["AmlCompute", "ComputeInstance"]
_CLOUD = """
standardDSv2Family: Standard_DS1_v2 1 0 3.5, Standard_DS2_v2 2 0 7, Standard_DS3_v2 4 0 14, Standard_DS4_v2 8 0 28,
  Standard_DS5_v2 16 0 56, Standard_DS11_v2 2 0 14, Standard_DS12_v2 4 0 28, Standard_DS13_v2 8 0 56,
  Standard_DS14_v2 16 0 112
standardDv2Family: Standard_D1_v2 1 0 3.5, Standard_D2_v2 2 0 7, Standard_D3_v2 4 0 14, Standard_D4_v2 8 0 28,
  Standard_D12_v2 4 0 28, Standard_D13_v2 8 0 56, Standard_D14_v2 16 0 112
standardDDSv4Family: Standard_D2ds_v4 2 0 8, Standard_D4ds_v4 4 0 16, Standard_D8ds_v4 8 0 32, Standard_D16ds_v4 16 0 64
standardEDSv4Family: Standard_E2ds_v4 2 0 16, Standard_E4ds_v4 4 0 32, Standard_E8ds_v4 8 0 64,
  Standard_E16ds_v4 16 0 128
standardESv3Family: Standard_E4s_v3 4 0 32, Standard_E8s_v3 8 0 64, Standard_E16s_v3 16 0 128
standardFSv2Family: Standard_F2s_v2 2 0 4, Standard_F4s_v2 4 0 8, Standard_F8s_v2 8 0 16, Standard_F16s_v2 16 0 32,
  Standard_F32s_v2 32 0 64, Standard_F72s_v2 72 0 144
standardNCFamily: Standard_NC6 6 1 56, Standard_NC12 12 2 112, Standard_NC24 24 4 224, Standard_NC24r 24 4 224
standardNCSv2Family: Standard_NC6s_v2 6 1 112, Standard_NC12s_v2 12 2 224, Standard_NC24s_v2 24 4 448
standardNCSv3Family: Standard_NC6s_v3 6 1 112, Standard_NC12s_v3 12 2 224, Standard_NC24s_v3 24 4 448,
  Standard_NC24rs_v3 24 4 448
standardNCASv3_T4Family: Standard_NC4as_T4_v3 4 1 28, Standard_NC8as_T4_v3 8 1 56, Standard_NC16as_T4_v3 16 1 110,
  Standard_NC64as_T4_v3 64 4 440
standardNCADSA100v4Family: Standard_NC24ads_A100_v4 24 1 220, Standard_NC48ads_A100_v4 48 2 440,
  Standard_NC96ads_A100_v4 96 4 880
standardNCADSH100v5Family: Standard_NC40ads_H100_v5 40 1 320, Standard_NC80adis_H100_v5 80 2 640
standardNDSFamily: Standard_ND6s 6 1 112, Standard_ND12s 12 2 224, Standard_ND24s 24 4 448, Standard_ND24rs 24 4 448
standardNDSv2Family: Standard_ND40rs_v2 40 8 672
standardNDASv4_A100Family: Standard_ND96asr_v4 96 8 900
standardNDAMSv4_A100Family: Standard_ND96amsr_A100_v4 96 8 1900
standardNDSH100v5Family: Standard_ND96isr_H100_v5 96 8 1900
standardNVFamily: Standard_NV6 6 1 56, Standard_NV12 12 2 112, Standard_NV24 24 4 224
standardNVSv3Family: Standard_NV12s_v3 12 1 112, Standard_NV24s_v3 24 2 224, Standard_NV48s_v3 48 4 448
"""
"""Family: name, CPUs, GPUs, GB of memory; as Azure documents them."""


async def list_vm_sizes(request: ApiRequest) -> dict[str, Any]:
    capacity = request.server.engine.context.computes.machine
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    here = _render_size(get_machine_size(request), "local", int(capacity.cpus), len(capacity.gpus), round(memory, 1))
    return {"value": [here, *_list_cloud_sizes()]}


def get_machine_size(request: ApiRequest) -> str:
    """Return the size of a compute whose description gives none: that of this machine."""
    capacity = request.server.engine.context.computes.machine
    return f"{capacity.cpus} CPUs, {len(capacity.gpus)} GPUs"


def _list_cloud_sizes() -> list[dict[str, Any]]:
    found = []
    for line in _CLOUD.replace(",\n  ", ", ").strip().splitlines():
        family, _, sizes = line.partition(": ")
        for size in sizes.split(", "):
            name, cpus, gpus, memory = size.split()
            found.append(_render_size(name, family, int(cpus), int(gpus), float(memory)))
    return found


def _render_size(name: str, family: str, cpus: int, gpus: int, memory: float) -> dict[str, Any]:
    return {
        "name": name,
        "family": family,
        "vCPUs": cpus,
        "gpus": gpus,
        "osVhdSizeMB": 0,
        "maxResourceVolumeMB": 0,
        "memoryGB": memory,
        "lowPriorityCapable": False,
        "premiumIO": False,
        "supportedComputeTypes": _COMPUTES,
    }


GLOBAL_ROUTES = [
    (
        "GET",
        "/subscriptions/{subscription}/providers/Microsoft.MachineLearningServices/locations/{location}/vmSizes",
        list_vm_sizes,
    ),
]
