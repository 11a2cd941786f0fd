"""Frozen values that are cheap to build.

A replica makes about ten small values for each slot, and a simulation runs millions of slots. The `__init__`
of a frozen dataclass goes through `object.__setattr__` for each field, which costs four times what plain
assignment does. Here a value is built as a plain slotted dataclass and sealed by its last step: the object
becomes an instance of a subclass that refuses assignment. Nothing else belongs in this file.
"""

from dataclasses import FrozenInstanceError, dataclass, field, fields
from typing import Any, NoReturn, TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: type[T]) -> type[T]:
    """Make `cls` a slotted dataclass, frozen for the type checker and at run time, with equality and hash.

    Instances are of a sealed subclass: ask `isinstance` or for their KIND, not for `type(x) is ...`.
    """

    def seal(self: Any) -> None:
        self.__class__ = sealed

    def rebuild(self: Any) -> tuple[Any, ...]:
        return (draft, tuple(getattr(self, part.name) for part in fields(self) if part.init))

    cls.__post_init__ = seal  # type: ignore[attr-defined]
    cls.__reduce__ = rebuild  # type: ignore[method-assign]
    draft = dataclass(slots=True, unsafe_hash=True)(cls)
    sealed = type(
        cls.__name__,
        (draft,),
        {
            "__slots__": (),
            "__module__": cls.__module__,
            "__qualname__": cls.__qualname__,
            "__doc__": cls.__doc__,
            "__setattr__": _refuse,
            "__delattr__": _refuse,
        },
    )
    return draft


def _refuse(self: object, name: str, _value: object = None) -> NoReturn:
    raise FrozenInstanceError(f"{type(self).__name__}.{name} cannot change")
