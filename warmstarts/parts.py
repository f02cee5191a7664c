"""Parts of kernels as numba is to compile them: as code to be linked into a kernel, and no further.

By itself numba optimises every function that it compiles and translates it to machine code, together with all that it
calls, although only a kernel's is ever run: what stands at the end of a chain of calls is translated once for each of
its links. Here parts go no further than their own simplification; the kernel that they end up in is optimised whole.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba.core import types
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler
from numba.core.registry import CPUDispatcher


class PartDispatcher(CPUDispatcher):
    """Compiles a part where a kernel calls it, once for all numbers that stand in a call as constants."""

    def __init__(self, function: Callable[..., Any], options: dict[str, Any]) -> None:
        super().__init__(function, targetoptions={"nopython": True, **options}, pipeline_class=_PartCompiler)

    def get_call_template(self, args: Any, kws: Any) -> Any:
        """As numba's, for arguments of any value: it would compile f(0) and f(1) apart."""
        general = tuple(types.unliteral(kind) for kind in args)
        return super().get_call_template(general, {name: types.unliteral(kind) for name, kind in kws.items()})


class _PartCompiler(Compiler):
    def compile_extra(self, func: Callable[..., Any]) -> Any:
        self.state.library = _PartLibrary(self.state.targetctx.codegen(), func.__qualname__)
        return super().compile_extra(func)


class _PartLibrary(JITCodeLibrary):
    """Code that is linked into the code of its callers, and never placed in memory by itself."""

    @property
    def codegen(self) -> _Nowhere:
        return _Nowhere()

    def get_pointer_to_function(self, name: str) -> int:
        self._ensure_finalized()
        return 0

    def _optimize_final_module(self) -> None:
        pass

    def _finalize_final_module(self) -> None:
        self._finalized = True


class _Nowhere:
    """Takes the place of what would note the address of a part's environment, which is for Python objects."""

    def set_env(self, name: str, environment: object) -> None:
        pass
