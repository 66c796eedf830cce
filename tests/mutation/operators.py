"""Where a line of GPU code can be changed, and into what. One function a class; all work on the text of one line, in the
style that clang-format gives it (spaces around binary operators)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

Change = tuple[int, int, str]  # text[begin:end] becomes the third


@dataclass(frozen=True)
class Mutant:
    file: str  # relative to the top of the tree
    line: int  # from 1
    kind: str
    before: str  # the whole line, without its indentation
    after: str


def replaced(pattern: str, text: str, *replacements: str) -> Iterator[Change]:
    """Every match of the pattern, by each replacement (as re.Match.expand has them)."""
    for match in re.finditer(pattern, text):
        for replacement in replacements:
            yield match.start(), match.end(), match.expand(replacement)


def swapped(words: dict[str, str], text: str) -> Iterator[Change]:
    for match in re.finditer(r"(?<!int64_t )(?<!int )\b\w+\b", text):
        if match.group() in words:
            yield match.start(), match.end(), words[match.group()]


def index(text: str) -> Iterator[Change]:
    if re.match(r"(const )?[\w:]+ \w+\[\w+\];", text.strip()):
        return  # the declaration of an array
    yield from replaced(r"(?<=[\w)])\[([^\[\]]+)\]", text, r"[\1 + 1]")
    yield from replaced(r"(?<=[\w)])\[([^\[\]0][^\[\]]*)\]", text, r"[\1 - 1]")


def bound(text: str) -> Iterator[Change]:
    yield from replaced(r"( <=? | >=? )(?!0\b)([\w.]+(?:->\w+)*(?:\(\))?)", text, r"\1\2 - 1", r"\1\2 + 1")
    if text.lstrip().startswith("for ("):
        yield from replaced(r"(?<=for \()([^;=]*= )([^;]+);", text, r"\1\2 + 1;")


def comparison(text: str) -> Iterator[Change]:
    others = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "&&": "||", "||": "&&"}
    for match in re.finditer(r"(?<= )(<=?|>=?|==|!=|&&|\|\|)(?= )", text):
        yield match.start(), match.end(), others[match.group()]
    yield from replaced(r"\bif \(([^()]*)\)", text, r"if (!(\1))")


def barrier(text: str) -> Iterator[Change]:
    yield from replaced(r"__sync(threads|warp)\(\)", text, "")


def mask(text: str) -> Iterator[Change]:
    yield from replaced(r"\b(all_lanes(?! =)|0xFFFFFFFFU)", text, "0x0000FFFFU", "0x7FFFFFFFU")


def shuffle_distance(text: str) -> Iterator[Change]:
    yield from replaced(r"\bdistance = (\d+)", text, "distance = 8", "distance = 32")
    yield from replaced(r"\bdistance > 0", text, "distance > 1")
    yield from replaced(r"\bdistance /= 2", text, "distance /= 4", "distance -= 1")
    yield from replaced(r"(?<=_sync\()(.*, )([^,()]+)\)", text, r"\1(\2) + 1)", r"\1(\2) / 2)")


def dimension(text: str) -> Iterator[Change]:
    yield from replaced(r"\b(threadIdx|blockIdx|blockDim|gridDim)\.x\b", text, r"\1.y")
    yield from replaced(r"\b(threadIdx|blockIdx|blockDim|gridDim)\.y\b", text, r"\1.x")
    yield from replaced(r"\bdim3\(([^,()]+), ([^,()]+)\)", text, r"dim3(\2, \1)")
    yield from replaced(r"\bdim3\(([^,()]+|static_cast<unsigned>\([^()]+\))\)", text, r"dim3(1, \1)")
    pairs = [("width", "height"), ("out_width", "out_height"), ("rows", "columns"), ("row", "column"),
             ("tiles_across", "tiles_down"), ("first_row", "first_column"), ("out_x", "out_y"), ("four.x", "four.y")]
    yield from swapped({a: b for pair in pairs for a, b in (pair, pair[::-1])}, text)


def stride(text: str) -> Iterator[Change]:
    yield from replaced(r"(?<= \+= )(\w*(stride|warps|rows|threads)\w*)(?=\))", text, r"2 * \1", r"\1 - 1", r"\1 + 1")
    yield from replaced(r"(?<=stride = )threads_of_grid\(\)", text, "blockDim.x", "gridDim.x")
    yield from replaced(r"; \+\+(\w+)\)", text, r"; \1 += 2)")
    yield from replaced(r"\b(\w+\.)?stride\b(?= <=|;|\)| \+)", text, "1")


def stream_wait(text: str) -> Iterator[Change]:
    calls = r"(record|hold_back|wait|synchronize|join|wait_for\w*)"
    yield from replaced(rf"(^\s*|(?<=[;)] ))[\w.*>()\[\] -]*?(\.|->){calls}\([^;]*\);", text, r"\1;")
    yield from replaced(r"check\(cuda(EventRecord|StreamWaitEvent|(Event|Stream)Synchronize|Mem\w+Async)\(.*\);", text, ";")


def dtype(text: str) -> Iterator[Change]:
    yield from replaced(r"\bdouble (?=\w+ = )", text, "float ")
    yield from replaced(r"\bstatic_cast<double>", text, "static_cast<float>")
    yield from replaced(r"(?<!constexpr )\bstd::int64_t (?=\w+ = )", text, "int ")
    yield from replaced(r"\bstatic_cast<std::int64_t>", text, "static_cast<int>")
    yield from replaced(r"\bsizeof\(double\)", text, "sizeof(float)")


def arithmetic(text: str) -> Iterator[Change]:
    for old, new in (("+", "-"), ("-", "+"), ("*", "+"), ("/", "*"), ("%", "/")):
        yield from replaced(rf"(?<= )\{old}(?= )", text, new)
    yield from replaced(r"(?<= )[*+-]=(?= )(?!\w+\))", text, "=")  # not a loop's step: it would have no end


CLASSES = [index, bound, comparison, barrier, mask, shuffle_distance, dimension, stride, stream_wait, dtype, arithmetic]


def code_of(text: str) -> str:
    """The line with its comments and strings blanked, so that places in it stay where they are."""
    return re.sub(r'"(\\.|[^"\\])*"|//.*|/\*.*?\*/', lambda match: " " * len(match.group()), text)


def code_lines(text: str) -> Iterator[tuple[int, str]]:
    """The lines of a source that do something when the emulator runs it: no directives, no declarations of types, no
    errors' texts, nothing that only nvcc compiles."""
    only_nvcc = in_message = False
    for number, line in enumerate(text.splitlines(), 1):
        code = code_of(line)
        if code.startswith("#"):
            only_nvcc = code.startswith("#ifdef __CUDACC__")
            continue
        in_message = in_message or re.search(r"\bthrow |fmt::format\(", code) is not None
        skipped = only_nvcc or in_message or re.match(r"\s*(template|namespace|using|struct|class|static_assert)\b", code)
        if in_message and code.rstrip().endswith(";"):
            in_message = False
        if not skipped and code.strip():
            yield number, code


def mutants_of(root: Path, file: str) -> Iterator[Mutant]:
    text = (root / file).read_text()
    lines = text.splitlines()
    for number, code in code_lines(text):
        line = lines[number - 1]
        for make in CLASSES:
            for begin, end, new in make(code):
                after = line[:begin] + new + line[end:]
                if after != line:
                    yield Mutant(file, number, make.__name__, line.strip(), after.strip())


def with_mutant(text: str, mutant: Mutant) -> str:
    lines = text.splitlines(keepends=True)
    line = lines[mutant.line - 1]
    lines[mutant.line - 1] = line.replace(mutant.before, mutant.after)
    return "".join(lines)
