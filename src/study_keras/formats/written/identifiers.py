"""Names of layers as identifiers of the programs and of PyTorch's modules."""

import builtins
import keyword
import re
from collections.abc import Collection

_TAKEN = {
    *keyword.kwlist,
    *keyword.softkwlist,
    *dir(builtins),
    *("np", "self", "torch", "nn", "weights", "predict"),
    # what a torch.nn.Module has already
    *("add_module", "apply", "bfloat16", "buffers", "call_super_init", "children", "cpu", "cuda", "double"),
    *("dump_patches", "eval", "extra_repr", "forward", "get_buffer", "get_extra_state", "get_parameter"),
    *("get_submodule", "half", "ipu", "load_state_dict", "modules", "mtia", "named_buffers", "named_children"),
    *("named_modules", "named_parameters", "parameters", "register_backward_hook", "register_buffer"),
    *("register_forward_hook", "register_forward_pre_hook", "register_full_backward_hook"),
    *("register_full_backward_pre_hook", "register_load_state_dict_post_hook", "register_load_state_dict_pre_hook"),
    *("register_module", "register_parameter", "register_state_dict_post_hook", "register_state_dict_pre_hook"),
    *("requires_grad_", "set_extra_state", "set_submodule", "share_memory", "state_dict", "to", "to_empty", "train"),
    *("training", "xpu", "zero_grad"),
}


def identifier(text: str) -> str:
    """Return ``text`` as an identifier of Python and of C, of lower-case ASCII letters, digits and ``_``."""
    name = re.sub(r"_+", "_", re.sub(r"[^a-z0-9_]", "_", text.lower())).strip("_") or "value"
    name = name if name[0].isalpha() else f"layer_{name}"
    return f"{name}_" if name in _TAKEN else name


def distinct(text: str, taken: Collection[str]) -> str:
    """Return an identifier made of ``text`` that is not in ``taken``."""
    name = unique = identifier(text)
    number = 1
    while unique in taken:
        number += 1
        unique = f"{name}_{number}"
    return unique
