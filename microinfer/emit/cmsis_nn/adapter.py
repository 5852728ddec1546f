"""The adapters of runtime_c/cmsis_nn by their names."""

from __future__ import annotations

from ..kernels import Kernel


def adapter(name: str, params: str, header: str, library: str, scratch: bool = False) -> Kernel:
    """``mi_cmsis_nn_{name}`` of ``mi_cmsis_nn_{header}.h``, which calls ``library``."""
    struct = f"mi_cmsis_nn_{params}_params"
    return Kernel(f"mi_cmsis_nn_{name}", struct, f"mi_cmsis_nn_{header}.h", library, scratch)
