"""C identifiers from a user's names."""

from __future__ import annotations

import re

from ..errors import BadInput

# Words of C99 and C++17 that no identifier may be, and names that the headers already use.
RESERVED = frozenset(
    """
    alignas alignof and and_eq asm auto bitand bitor bool break case catch char char16_t char32_t
    class compl complex const const_cast constexpr continue decltype default delete do double
    dynamic_cast else enum explicit export extern false float for friend goto if imaginary inline
    int long main mi mutable namespace new noexcept not not_eq nullptr operator or or_eq private
    protected public register reinterpret_cast restrict return short signed sizeof static
    static_assert static_cast struct switch template this thread_local throw true try typedef
    typeid typename union unsigned using virtual void volatile wchar_t while xor xor_eq
    """.split()
)

# Headers of C, and those that they include: NAME.h of such a name would hide the system's.
HEADERS = frozenset(
    """
    assert complex ctype errno features fenv float inttypes iso646 limits locale malloc math memory
    setjmp signal stdalign stdarg stdatomic stdbit stdbool stdckdint stddef stdint stdio stdlib
    stdnoreturn string strings tgmath threads time uchar unistd wchar wctype
    """.split()
)


def identifier(text: str) -> str:
    """``text`` (such as a file's stem) as a lower-case C identifier."""
    name = re.sub(r"[^0-9a-z]+", "_", text.lower()).strip("_")
    if not name or name[0].isdigit() or name in RESERVED | HEADERS:
        name = f"model_{name}".rstrip("_")
    return name


def check_name(name: str) -> str:
    """``name``, if functions and files can be called after it. Raises BadInput."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) or name in RESERVED:
        raise BadInput(
            f"cannot call the generated code {name!r}: expected a C identifier such as"
            f" {identifier(name)!r}"
        )
    if name.lower() in HEADERS:  # there are file systems to which case is the same
        raise BadInput(
            f"cannot call the generated code {name!r}: its {name}.h would hide the system's;"
            f" expected another name, such as {identifier(name)!r}"
        )
    if name.lower().startswith("mi_"):
        raise BadInput(f"cannot call the generated code {name!r}: mi_ belongs to the kernels")
    return name


def comment(text: str, longest: int = 64) -> str:
    """``text`` (such as a tensor's name) made safe, and short, inside a C block comment."""
    printable = "".join(c if 32 <= ord(c) < 127 else "?" for c in text)
    if len(printable) > longest:  # converters join the names of all that they fused
        printable = printable[: longest - 3] + "..."
    return printable.replace("*/", "* /").replace("/*", "/ *").replace("??/", "? ?/")
